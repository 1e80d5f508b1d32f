// Models that grow with n in one direction: what the cost of opening is measured on. Each is about n parts and no more.
import { Graph, valueInfo } from "./onnx.js";

const SIDE = 4;
const some = (/** @type {number} */ count) => Float64Array.from({ length: count }, (_, i) => ((i * 37) % 101) / 101 - 0.5);

/** x -> ... -> Gemm -> y, with what `between` makes of x. @param {(g: Graph, x: string) => string} between
 * @param {{opset?: number, wide?: number, finish?: (g: Graph) => void}} [options] wide: columns of what comes back */
function model(between, { opset = 13, wide = SIDE, finish = () => {} } = {}) {
  const g = new Graph({ opset });
  const x = g.node("Gemm", [g.input("x", "float32", ["n", SIDE]), g.constant("float32", [SIDE, SIDE], some(SIDE * SIDE))]);
  g.output(g.node("Gemm", [between(g, x), g.constant("float32", [wide, 2], some(wide * 2))]), "float32", ["n", 2]);
  finish(g);
  return g;
}

/** @param {Graph} g @param {string} x */
const dense = (g, x) => g.node("Gemm", [x, g.constant("float32", [SIDE, SIDE], some(SIDE * SIDE)), g.constant("float32", [SIDE], some(SIDE))]);

/** @template T @param {number} n @param {T} first @param {(last: T, i: number) => T} step */
function repeated(n, first, step) {
  let last = first;
  for (let i = 0; i < n; i++) last = step(last, i);
  return last;
}

const list = (/** @type {number} */ n, /** @type {(i: number) => any} */ at) => Array.from({ length: n }, (_, i) => at(i));

/** Strings whose 64-bit FNV-1a ends in twelve bits of nothing: what a table of names would put into one place. @param {number} n */
function colliding(n) {
  const names = [];
  for (let i = 0; names.length < n; i++) {
    const name = i.toString(36);
    let low = 0x84222325; // the lower half decides the lower bits
    let high = 0xcbf29ce4;
    for (let c = 0; c < name.length; c++) {
      low = (low ^ name.charCodeAt(c)) >>> 0;
      // times 2^40 + 0x1b3
      const product = BigInt(low) * 0x1b3n;
      high = (Number(product >> 32n) + Math.imul(high, 0x1b3) + (low << 8)) >>> 0;
      low = Number(product & 0xffffffffn);
    }
    if (((low ^ high) & 0xfff) === 0) names.push(name);
  }
  return names;
}

/** A body for If that reads `outer` through n nodes. @param {string} outer @param {number} n @param {string} stem @param {object[]} [extra] nodes before */
function body(outer, n, stem, extra = []) {
  const nodes = list(n, (i) => ({ opType: "Relu", input: [i === 0 ? outer : `${stem}${i - 1}`], output: [`${stem}${i}`] }));
  return { graph: { name: stem, node: [...extra, ...nodes], output: [valueInfo(`${stem}${n - 1}`, "float32", ["n", SIDE])] } };
}

/** Ifs within Ifs, each with n nodes of its own that read the outermost value. @param {string} x @param {number} depth @param {number} n @returns {any} */
function nested(x, depth, n) {
  if (depth === 0) return body(x, n, "leaf");
  const inner = nested(x, depth - 1, n);
  const attribute = ["then_branch", "else_branch"].slice(0, depth === 1 ? 2 : 1).map((name) => ({ name, type: 5, g: inner.graph }));
  return body(x, n, `d${depth}_`, [{ opType: "If", input: ["flag"], output: [`if${depth}`], attribute }]);
}

/** @type {Record<string, (n: number) => Graph>} */
export const families = {
  "deep: dense layers": (n) => model((g, x) => repeated(n / 2, x, (last) => g.node("Relu", [dense(g, last)]))),
  "deep: activations": (n) => model((g, x) => repeated(n, x, (last) => g.node("Relu", [last]))),
  "deep: residual blocks": (n) => model((g, x) => repeated(n / 3, x, (last) => g.node("Add", [last, g.node("Relu", [dense(g, last)])]))),
  "deep: a value added to itself": (n) => model((g, x) => repeated(n, x, (last) => g.node("Add", [last, last]))),
  "deep: one value in all": (n) => model((g, x) => repeated(n, x, (last) => g.node("Add", [last, x]))),
  "deep: one constant in all": (n) => model((g, x) => {
    const c = g.constant("float32", [SIDE], some(SIDE));
    return repeated(n, x, (last) => g.node("Mul", [last, c]));
  }),
  "deep: one weight in all": (n) => model((g, x) => {
    const w = g.constant("float32", [SIDE, SIDE], some(SIDE * SIDE));
    return repeated(n, x, (last) => g.node("MatMul", [last, w]));
  }),
  "deep: transposed there and back": (n) => model((g, x) => repeated(n - (n % 2), x, (last) => g.node("Transpose", [last], { perm: [1, 0] }))),
  "deep: reshaped": (n) => model((g, x) => {
    const shape = g.list([-1, SIDE]);
    return repeated(n, x, (last) => g.node("Reshape", [last, shape]));
  }),
  "deep: last node first": (n) => model((g, x) => repeated(n, x, (last) => g.node("Relu", [last])), { finish: (g) => void g.nodes.reverse() }),
  "deep: concatenated a bit wider each time": (n) => model((g, x) => repeated(n, x, (last) => g.node("Concat", [last, x], { axis: 1 })), { wide: SIDE * (n + 1) }),
  "deep: doubled each time": (n) => model((g, x) => repeated(n, x, (last) => g.node("Concat", [last, last], { axis: 1 }))),
  "deep: one list of n gathered by all": (n) => model((g, x) => {
    const wide = g.node("Gemm", [x, g.constant("float32", [SIDE, n], some(SIDE * n))]);
    const index = g.list(list(n, (i) => n - 1 - i));
    return repeated(n, wide, (last) => g.node("Gather", [last, index], { axis: 1 }));
  }, { wide: n }),
  "deep: n numbers known in all": (n) => model((g, x) => {
    const sizes = repeated(n, g.list(list(n, () => 1)), (last) => g.node("Identity", [last]));
    return g.node("Tile", [x, g.node("Slice", [sizes, g.list([0]), g.list([2])])]);
  }),
  "deep: n numbers computed in all": (n) => model((g, x) => {
    const one = g.list([1]);
    const sizes = repeated(n, g.list(list(n, () => 1)), (last) => g.node("Mul", [last, one]));
    return g.node("Tile", [x, g.node("Slice", [sizes, g.list([0]), g.list([2])])]);
  }),
  "wide: heads": (n) => model((_, x) => x, { finish: (g) => {
    for (let i = 0; i < n; i++) g.output(dense(g, "x"), "float32", ["n", SIDE]);
  } }),
  "wide: heads behind one layer": (n) => model((g, x) => {
    for (let i = 0; i < n; i++) g.output(dense(g, x), "float32", ["n", SIDE]);
    return x;
  }),
  "wide: one Concat": (n) => model((g, x) => g.node("Concat", list(n, () => g.node("Relu", [x])), { axis: 1 }), { wide: SIDE * n }),
  "wide: one Concat of layers": (n) => model((g, x) => g.node("Concat", list(n, () => dense(g, x)), { axis: 1 }), { wide: SIDE * n }),
  "wide: a Concat with n attributes": (n) => {
    const g = model((made, x) => made.node("Concat", list(n, () => x), { axis: 1 }), { wide: SIDE * n });
    const concat = g.nodes.find(({ opType }) => opType === "Concat");
    concat.attribute.unshift(...list(n, (i) => ({ name: `a${i}`, type: 2, i: 1n })));
    return g;
  },
  "wide: one Sum": (n) => model((g, x) => g.node("Sum", list(n, () => x))),
  "wide: one Sum of layers": (n) => model((g, x) => g.node("Sum", list(n, () => dense(g, x)))),
  "wide: one Split": (n) => model((g, x) => {
    const first = g.node("Gemm", [x, g.constant("float32", [SIDE, SIDE * n], some(SIDE * SIDE * n))]);
    g.node("Split", [first, g.list(list(n, () => SIDE))], { axis: 1 }, { count: n });
    const parts = g.nodes.at(-1).output;
    return g.node("Concat", parts, { axis: 1 });
  }, { wide: SIDE * n }),
  "wide: Slices of one value": (n) => model((g, x) => {
    const first = g.node("Gemm", [x, g.constant("float32", [SIDE, SIDE * n], some(SIDE * SIDE * n))]);
    const axis = g.list([1]);
    const parts = list(n, (i) => g.node("Slice", [first, g.list([SIDE * i]), g.list([SIDE * (i + 1)]), axis]));
    return g.node("Concat", parts, { axis: 1 });
  }, { wide: SIDE * n }),
  "wide: Splits of one Concat": (n) => model((g, x) => {
    const joined = g.node("Concat", list(n, () => dense(g, x)), { axis: 1 });
    const sizes = g.list(list(n, () => SIDE));
    g.node("Split", [joined, sizes], { axis: 1 }, { count: n });
    return g.node("Concat", list(n, (i) => g.nodes.at(-1 - i).output[0]).slice(0, 1).concat(g.nodes.at(-1).output.slice(1)), { axis: 1 });
  }, { wide: SIDE * n }),
  "wide: activations of one Concat, one behind the other": (n) => model((g, x) => repeated(n, g.node("Concat", list(n, () => dense(g, x)), { axis: 1 }), (last) => g.node("Relu", [last])), { wide: SIDE * n }),
  "wide: layers read one Concat": (n) => {
    const few = Math.floor(Math.sqrt(n));
    return model((g, x) => {
      const joined = g.node("Concat", list(n, () => x), { axis: 1 });
      return g.node("Sum", list(few, () => g.node("Relu", [joined])));
    }, { wide: SIDE * n });
  },
  "wide: one size of n axes": (n) => model((g, x) => g.node("Reshape", [x, g.list(list(n, (i) => (i < 2 ? [-1, SIDE][i] : 1)))])),
  "many: constants": (n) => model((_, x) => x, { finish: (g) => list(n, (i) => g.constant("float32", [2], [i, 1])) }),
  "many: inputs": (n) => model((_, x) => x, { finish: (g) => list(n, (i) => g.input(`in${i}`, "float32", ["n", 2])) }),
  "many: shapes stated": (n) => model((g, x) => repeated(n, x, (last) => g.node("Relu", [last])), { finish: (g) => g.nodes.forEach(({ output }) => g.info(output[0], "float32", ["n", SIDE])) }),
  "many: shapes stated of one value": (n) => model((_, x) => x, { finish: (g) => list(n, () => g.info(g.nodes[0].output[0], "float32", ["n", SIDE])) }),
  "many: nodes nobody knows": (n) => model((g, x) => repeated(n, x, (last) => g.node("Strange", [last], { a: 1 }, { domain: "far.away" }))),
  "many: nodes nobody reads": (n) => model((g, x) => (list(n, () => g.node("Relu", [x])), x)),
  "many: names that collide": (n) => {
    const names = colliding(n);
    return model((g, x) => repeated(n, x, (last, i) => g.node("Relu", [last], {}, { outputs: [names[i]] })));
  },
  "many: names that begin alike": (n) => model((g, x) => repeated(n, x, (last, i) => g.node("Relu", [last], {}, { outputs: ["a".repeat(i % 512) + i] }))),
  "many: attributes of one node": (n) => {
    const g = model((made, x) => made.node("Relu", [x]));
    g.nodes[1].attribute = list(n, (i) => ({ name: `a${i}`, type: 2, i: 1n }));
    return g;
  },
  "many: inputs of one MatMul that has as many attributes": (n) => {
    const g = model((made, x) => made.node("MatMul", list(n, () => x)));
    g.nodes.find(({ opType }) => opType === "MatMul").attribute = list(n, (i) => ({ name: `a${i}`, type: 2, i: 1n }));
    return g;
  },
  "many: layers behind what nobody knows": (n) => model((g, x) => repeated(n, g.node("Strange", [x], {}, { domain: "far.away" }), (last) => g.node("Relu", [last]))),
  "many: layers read by one of a long name": (n) => model((g, x) => g.node("Strange", list(n, () => dense(g, x)), {}, { domain: "far.away", name: "n".repeat(n * 20) })),
  "many: inputs that go one way": (n) => {
    const g = new Graph();
    const joined = g.node("Concat", list(n, (i) => g.input(`in${i}`, "float32", ["n", 1])), { axis: 1 });
    g.output(repeated(n, joined, (last) => g.node("Identity", [last])), "float32", ["n", n]);
    return g;
  },
  "many: Ifs": (n) => model((g, x) => {
    const flag = g.constant("bool", [], [1]);
    return repeated(n / 2, x, (last) => g.node("If", [flag], { then_branch: body(last, 1, "t"), else_branch: body(last, 1, "e") }));
  }),
  "many: nodes in an If": (n) => model((g, x) => g.node("If", [g.constant("bool", [], [1])], { then_branch: body(x, n, "t"), else_branch: body(x, n, "e") })),
  "many: nodes in Ifs within Ifs": (n) => model((g, x) => {
    g.constant("bool", [], [1], { name: "flag" });
    return g.node("If", ["flag"], { then_branch: nested(x, 12, n / 12), else_branch: body(x, 1, "e") });
  }),
  "many: values an If reads": (n) => model((g, x) => {
    const values = list(n, () => g.node("Relu", [x]));
    const nodes = values.map((value, i) => ({ opType: "Add", input: [value, values[0]], output: [`t${i}`] }));
    const branch = { graph: { name: "b", node: nodes, output: [valueInfo("t0", "float32", ["n", SIDE])] } };
    return g.node("If", [g.constant("bool", [], [1])], { then_branch: branch, else_branch: branch });
  }),
};
