// Every sentence of "How it works".

export const howText = {
  title: "How it works",
  lead: [
    "A trained network says many things twice. Some neurons are copies of others, some nearly so, and some only repeat what others say together.",
    "netlump finds them, lets them go, and tells those that stay what to take over. One number, the tolerance ε, says how much may be lost.",
  ],
  toClass: "See it step by step in the classroom",
  formula: "Formula",
  going: "Neuron 4 goes. The others take over: 2 of neuron 1, 2 of neuron 2, minus neuron 3.",
  encodings: { adjoint: "Adjoint", linear: "Linear", polynomial: "Polynomial" },
  parts: {
    ode: {
      title: "1. A network as differential equations",
      before: ["The published method reads each neuron as a variable that changes in time. There are three ways to do so."],
      after: ["The adjoint turns all arrows round: who reads a neuron drives it. In the polynomial one p is the activation, or a polynomial fitted to it. It settles where the network's answer lies."],
    },
    alike: {
      title: "2. When two neurons are alike",
      before: ["Each layer begins as one block. Two neurons may share a block while their equations differ by no more than ε. In the adjoint encoding that is"],
      after: ["with B the blocks of the layer before. Layer after layer is split until nothing changes. Connected components follow chains, so the ends of a block may be far apart. Complete linkage, the default, wants every two members alike."],
    },
    quotient: {
      title: "3. The quotient",
      before: ["A block becomes one neuron. R says what it is made of, P and p who gets its value."],
      after: ["Adjoint blocks at ε = 0 leave the function as it was, whatever the activation. Above 0 the equations give no bound on the outputs: measure."],
    },
    projected: {
      title: "4. Projected lumping, the default",
      before: ["Blocks only find near copies. So netlump goes further: it lets one neuron go at a time, the one that the others can best replace."],
      after: ["C is the covariance of the neurons over the inputs measured on, wⱼ what leaves neuron j, counted by what the outputs feel of it. Least squares says who takes over with which share. Then each following layer is fitted again to the original's values. One pass orders all neurons and serves every ε."],
    },
    polish: {
      title: "5. Polish",
      before: [
        "What is left learns from the original: its weights move until its outputs are as near as they get. No labels. A fifth of the rows is held back and decides which state is kept.",
        "Measured: a 64-64 tanh network (HEPC) at 10\u00a0% of its parameters has 1.016 times the original's test error after the fit, and 1.004 times after the polish.",
      ],
    },
    checked: {
      title: "6. How a result is checked",
      before: [
        "ONNX Runtime runs both networks on the same inputs, and the page shows how far they differ. It shares no code with netlump.",
        "For lines of dense layers the worst case over a box of inputs is bounded as well. The bound is proved, and pessimistic: some ten times the largest change found on small tanh networks, useless on deep ReLU networks over wide boxes.",
      ],
    },
  },
  limitsTitle: "Limits",
  limits: [
    ["Alike here is not alike everywhere.", "Projected lumping knows the inputs it was measured on. Elsewhere neurons may part."],
    ["Without data, inputs are drawn from N(0, 1).", "A guess. Over eight test networks the outputs changed by 4.75\u00a0% with drawn inputs, by 2.52\u00a0% with rows of their own."],
    ["No guarantee above ε = 0.", "For partitions ε counts weights, for projected lumping it is the outputs' change to first order, measured afterwards. The forward method on the linear encoding and the polynomial one keep the function only in special cases, even at 0."],
    ["Partitions and the worst case want a chain.", "Dense layers with activations between, one input, one output. Projected lumping takes any graph."],
    ["Convolutions lose more.", "A channel goes at all positions at once, and there are no derivatives: how much the outputs feel is probed once for each layer. A few hundred images of your own are worth a lot."],
    ["Some things stay whole.", "Attention heads, recurrent layers, bodies of If and Loop, quantized weights, and the model's outputs. The page says which and why."],
  ],
  sourcesTitle: "Sources",
  /** @type {{authors: string, title: string, where: string, arxiv?: string}[]} */
  sources: [
    { authors: "Dhiman, Passarella, Tribastone, Valerio", title: "Neural Network Compression by Approximate Differential Equivalence", where: "2026", arxiv: "2606.01402" },
    { authors: "Cardelli, Tribastone, Tschaikowski, Vandin", title: "Maximal aggregation of polynomial dynamical systems", where: "PNAS 2017" },
    { authors: "Prabhakar", title: "Bisimulations for Neural Network Reduction", where: "2021", arxiv: "2110.03726" },
    { authors: "Hassibi, Stork", title: "Second order derivatives for network pruning: Optimal Brain Surgeon", where: "NIPS 1992, published 1993" },
    { authors: "Hinton, Vinyals, Dean", title: "Distilling the Knowledge in a Neural Network", where: "2015", arxiv: "1503.02531" },
    { authors: "Müllner", title: "Modern hierarchical, agglomerative clustering algorithms", where: "2011", arxiv: "1109.2378" },
    { authors: "Sussmann", title: "Uniqueness of the weights for minimal feedforward nets with a given input-output map", where: "Neural Networks 1992" },
    { authors: "Neyshabur, Salakhutdinov, Srebro", title: "Path-SGD: Path-Normalized Optimization in Deep Neural Networks", where: "2015", arxiv: "1506.02617" },
    { authors: "Li, Kadav, Durdanovic, Samet, Graf", title: "Pruning Filters for Efficient ConvNets", where: "2017", arxiv: "1608.08710" },
    { authors: "Han, Pool, Tran, Dally", title: "Learning both Weights and Connections for Efficient Neural Networks", where: "2015", arxiv: "1506.02626" },
    { authors: "Sun, Liu, Bair, Kolter", title: "A Simple and Effective Pruning Approach for Large Language Models", where: "2023", arxiv: "2306.11695" },
  ],
};
