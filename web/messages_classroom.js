// Every sentence of the classroom.
import { number, percent, upperFirst } from "./format.js";

/** @param {number[]} list */
const listed = (list) => (list.length < 2 ? list.join("") : `${list.slice(0, -1).join(", ")} and ${list[list.length - 1]}`);
/** @param {number} layer from 1 @param {number} hidden how many there are */
const hiddenLayer = (layer, hidden) => (hidden === 1 ? "the hidden layer" : `hidden layer ${layer}`);

export const classText = {
  title: "Lumping, step by step",
  large: "Large type",
  copyLink: "Copy link",
  /** @param {boolean} own */
  linkCopied: (own) => (own ? "Copied. The link holds this network's weights." : "Copied. Whoever opens the link sees this step."),
  linkInAddress: "The clipboard is closed to this page. The link stands in the address bar.",
  /** @param {string} name */
  take: (name) => `Take over ${name}`,

  // the network
  network: "Network",
  own: "Your own",
  ownHint: "Changed by hand. Drag an edge, or use the weights below.",
  /** Names and what there is to see. */
  presets: {
    copies: ["Exact copies", "Neurons 1 and 3 read the same, and so do 2 and 5. At ε = 0 they merge, and nothing is lost."],
    near: ["Near copies", "Three neurons nearly alike, and two more. A small ε merges them, at a small cost."],
    chain: ["A chain: 0, .1, .2, .3", "Each neuron is near the next. Connected components swallow the whole chain; complete linkage does not."],
    deep: ["Copies behind copies", "In layer 2, neurons 1 and 2 read different copies. They are alike only once layer 1 is lumped."],
    signs: ["Opposite signs (tanh)", "tanh(−z) = −tanh(z): neuron 2 is minus neuron 1. Alike up to a sign."],
    multiples: ["Multiples (ReLU)", "relu(2z) = 2 relu(z): neurons 1, 2 and 3 are multiples. Alike up to a factor."],
    dead: ["A dead neuron", "Neuron 2 reads nothing and always puts out the same. It moves into the next bias."],
    combination: ["A linear combination", "(x1 + x2)² + (x1 − x2)² = 2x1² + 2x2². No two neurons are alike; only projected lumping finds it."],
  },
  build: "Build your own",
  inputsCount: "Inputs",
  hiddenCount: "Hidden layers",
  /** @param {number} layer @param {number} hidden */
  layerWidth: (layer, hidden) => (hidden === 1 ? "Neurons" : `Neurons in layer ${layer}`),
  /** @param {number} layer @param {number} hidden */
  layerActivation: (layer, hidden) => `Activation of ${hiddenLayer(layer, hidden)}`,
  /** @param {string} what */
  less: (what) => `${what}: one less`,
  /** @param {string} what */
  more: (what) => `${what}: one more`,

  // the method
  method: "Method",
  methods: { equivalence: "ε-equivalence", projected: "Projected" },
  encoding: "Encoding",
  encodings: { adjoint: "Adjoint", linear: "Linear", polynomial: "Polynomial" },
  encodingHints: {
    adjoint: "Compares what neurons read. At ε = 0 the smaller network is the same function, for every activation.",
    linear: "Leaves the activations out and compares who reads a neuron. The same function at ε = 0 only without activations.",
    polynomial: "Activations as polynomials; compares the neurons' equations. At ε = 0 exact for polynomial activations.",
  },
  linkage: "Linkage",
  linkages: { complete: "Complete", erode: "Components" },
  symmetric: "Up to a factor or sign",
  epsilon: "Tolerance ε",
  projectedHint: "Neurons go one at a time, the cheapest first. ε is the change of the outputs that is allowed.",

  // weights and inputs
  /** @param {number} layer @param {number} neuron @param {number} count columns */
  weightsInto: (layer, neuron, count) => `Weights into ${layer === count - 1 ? `output y${neuron}` : `neuron ${neuron}${count > 3 ? ` of layer ${layer}` : ""}`}`,
  bias: "bias",
  /** @param {string} short @param {boolean} bias */
  weightName: (short, bias) => (bias ? "Bias" : `Weight from ${short}`),
  /** @param {string} name */
  typed: (name) => `${name}, typed`,
  weightsHint: "Choose another neuron in the drawing. Edges can be dragged up and down there.",
  inputs: "Inputs",
  /** @param {number} i */
  inputName: (i) => `Input x${i}`,
  /** @param {number} layer from 0 @param {number} neuron from 0 @param {number} from @param {string} weight */
  edge: (layer, neuron, from, weight) => `${layer === 0 ? "x" : "a"}${from + 1} to ${neuron + 1}: ${weight}. Drag up or down.`,

  // the step
  lecture: "The step",
  stepButtons: "Steps",
  /** @param {number} at @param {number} last */
  step: (at, last) => `Step ${at} of ${last}`,
  back: "Back",
  forward: "Step",
  run: "Run",
  pause: "Pause",
  reset: "Reset",
  space: "space",
  home: "Home",
  reason: "The numbers behind it",
  drawing: "The network",
  lumpedDrawing: "The lumped network",
  shrunkDrawing: "The network that is left",
  /** @param {number} layer @param {number} count columns */
  column: (layer, count) => (layer === 0 ? "inputs" : layer === count - 1 ? "outputs" : count === 3 ? "hidden layer" : `layer ${layer}`),
  /** @param {number} layer @param {number} neuron @param {number} count @param {number|null} block @param {boolean} gone */
  neuronName: (layer, neuron, count, block, gone) => `${layer === count - 1 ? `Output y${neuron}` : `Neuron ${neuron}${count > 3 ? ` of layer ${layer}` : ""}`}${block === null ? "" : `, block ${block}`}${gone ? ", gone" : ""}: show its weights`,
  /** @param {boolean} blocks */
  legend: (blocks) => (blocks ? "Circle: neuron. Square: its block, called after its first neuron. Dashed edge: negative weight." : "Circle: neuron. Dashed edge: negative weight. Drag an edge up or down to change it."),
  /** @param {number[]} members */
  members: (members) => (members.length === 1 ? "" : `= {${members.join(", ")}}`),
  /** @param {string|null} change percent @param {string} rows */
  measured: (change, rows) => change === null ? `Measured after the refit: the outputs stay as they are, up to rounding (${rows} drawn inputs).` : `Measured after the refit: the outputs change by ${change}\u00a0% (RMS, ${rows} drawn inputs).`,
  /** @param {number} neuron @param {number} layer @param {number} hidden */
  neuronIn: (neuron, layer, hidden) => (hidden === 1 ? `neuron ${neuron}` : `neuron ${neuron} of layer ${layer}`),

  said: {
    network: {
      adjoint: "The network as differential equations, turned round: each neuron is driven by those that read it.",
      linear: "The network as differential equations: each neuron is driven by what it reads. Activations are left out.",
      polynomial: "The network as differential equations: each neuron settles where the network's own answer lies.",
    },
    /** @param {number} hidden */
    whole: (hidden) => `The initial partition: inputs and outputs stand alone, ${hidden === 1 ? "the hidden layer is one block" : "each hidden layer is one block"}.`,
    /** @param {string} neuron @param {string} value */
    constant: (neuron, value) => `${upperFirst(neuron)} reads nothing: it always puts out ${value}. It leaves its block and moves into the next bias.`,
    /** @param {number} layer @param {number} hidden @param {[number, number]|null} pair @param {string} distance @param {string} epsilon @param {"complete"|"erode"} linkage @param {boolean} symmetric */
    stays: (layer, hidden, pair, distance, epsilon, linkage, symmetric) =>
      pair === null
        ? `${upperFirst(hiddenLayer(layer, hidden))} has one neuron to compare: nothing to split.`
        : linkage === "erode"
          ? `${upperFirst(hiddenLayer(layer, hidden))} stays one block: near neurons connect all of them${distance > epsilon ? `, though ${pair[0]} and ${pair[1]} differ by ${distance}` : ""}.`
          : `${upperFirst(hiddenLayer(layer, hidden))} stays one block: no two neurons differ by more than ε = ${epsilon}${symmetric ? ", up to a factor or sign" : ""}.`,
    /** @param {{layer: number, hidden: number, block: number, pair: [number, number], distance: [string, string], linkage: "complete"|"erode", stays: number[], leaves: number[]}} s */
    split: ({ layer, hidden, block, pair, distance: [distance, epsilon], linkage, stays, leaves }) => {
      const where = hidden === 1 ? "" : ` of layer ${layer}`;
      const two = stays.length + leaves.length === 2 || linkage === "complete";
      return two
        ? `Block ${block}${where} splits: neurons ${pair[0]} and ${pair[1]} differ by ${distance} > ε = ${epsilon}.`
        : `Block ${block}${where} splits: nothing connects ${listed(stays)} with ${listed(leaves)}. Even the nearest, ${pair[0]} and ${pair[1]}, differ by ${distance} > ε = ${epsilon}.`;
    },
    /** @param {number} neurons @param {number} blocks */
    quotient: (neurons, blocks) => (neurons === blocks ? "No block has two neurons: at this ε nothing is lumped." : `The quotient: one variable for each block. ${neurons} neurons become ${blocks}.`),
    compare: {
      adjoint: "Original and lumped system side by side: driven from the outputs, what arrives at the inputs.",
      linear: "Original and lumped system side by side: the sum of a block against its one variable.",
      polynomial: "Original and lumped system side by side: both settle, and the gap that stays is the price.",
    },
    eliminate: "Projected lumping: the neuron whose part the others can best take over goes first.",
    /** @param {string[]} names @param {number} deviation @param {number} before */
    goes: (names, deviation, before) =>
      `${upperFirst(names.length === 1 ? names[0] : `${names.slice(0, -1).join(", ")} and ${names[names.length - 1]}`)} ${names.length === 1 ? "goes" : "go"}; the others take over. ${deviation - before > 1e-9 ? `Deviation so far ${percent(deviation)}; before, ${percent(before < 1e-9 ? 0 : before)}.` : `It costs nothing: the deviation stays ${percent(deviation < 1e-9 ? 0 : deviation)}.`}`,
  },
  /** What holds for the smaller network. @param {{encoding: "linear"|"adjoint"|"polynomial", epsilon: number}} lesson */
  claim: ({ encoding, epsilon }) =>
    epsilon > 0
      ? "For ε > 0 there is no guarantee: look at the curves, or measure."
      : { adjoint: "At ε = 0 both networks are the same function, up to rounding.", linear: "At ε = 0 the equations agree; the networks do where there is no activation.", polynomial: "At ε = 0 the equations agree; the networks do where the activation is a polynomial." }[encoding],

  // equations
  /** @param {number} layer 0 the inputs, -1 the biases @param {number} count of layers @param {boolean} lumped */
  layerTitle: (layer, count, lumped) => (layer === -1 ? "Biases" : layer === 0 ? "Inputs" : layer === count ? "Outputs" : `${count === 2 ? "Hidden layer" : `Hidden layer ${layer}`}${lumped ? ", by blocks" : ""}`),
  networkEquations: "The network with its numbers",
  odeTitle: { adjoint: "Adjoint encoding", linear: "Linear encoding", polynomial: "Polynomial encoding" },
  odeHint: {
    adjoint: "′ is the rate of change. The matrix is the transpose of the network's; u collects the biases. Outputs start at 1, all else at 0.",
    linear: "′ is the rate of change. Inputs stay as they are, all else starts at 0.",
    polynomial: "′ is the rate of change. Inputs stay as they are, all else starts at 0 and settles.",
  },
  originalEquations: "Equations of the original",
  quotientEquations: "Equations of the quotient",
  shrunkEquations: "The network that is left",
  /** @param {string} activation @param {string} error */
  fitted: (activation, error) => `Fitted to ${activation}, off by ${error} RMS.`,
  exactPolynomial: "The activation itself.",

  // distances
  /** @param {number} layer @param {number} hidden */
  distances: (layer, hidden) => `Distances in ${hiddenLayer(layer, hidden)}`,
  neuron: "Neuron",
  /** @param {{encoding: "linear"|"adjoint"|"polynomial", linkage: "complete"|"erode", epsilon: number}} lesson */
  distancesHint: ({ encoding, linkage, epsilon }) =>
    `${{ adjoint: "Three times the sum of differences of what two neurons read, block by block, and of their biases.", linear: "Three times the sum of differences of how the next layer's blocks read two neurons.", polynomial: "The sum of differences of all coefficients of the two equations, block by block." }[encoding]} ✓ is within ε = ${number(epsilon)}. ${linkage === "complete" ? "Complete: every two members of a block are." : "Components: a block is what a chain of ✓ connects."}`,

  // curves
  curves: "Trajectories",
  curvesDescription: "The variables of the original and of the lumped system over time.",
  curvesHint: {
    adjoint: "Solid: the original, summed by block. Dashed: the lumped system.",
    linear: "Solid: the original, summed by block. Dashed: the lumped system.",
    polynomial: "Solid: the original. Dashed: the lumped system; a block's neurons share one curve.",
  },
  curvesOf: "Curves of",
  time: "t",
  /** @param {string} name */
  lumpedName: (name) => (name.includes(" + ") || name.length > 4 ? "lumped" : `${name} lumped`),
  sweep: "Outputs along x1",
  sweepDescription: "The outputs of both networks while the first input runs from −3 to 3 and the others stay as set.",
  sweepHint: "Solid: the original. Dashed: what is left of it. Both run by the engine itself.",
};
