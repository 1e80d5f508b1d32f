// methods: the ways to make a network smaller, by the names that all faces use. The manual of each stands in src/netlump.h.

/** @typedef {"projected"|"partition"|"adjoint"|"symmetric"|"forward"|"polynomial"|"norm"|"magnitude"|"magnitude-global"|"wanda"|"random"} Method */

/** In nl_method's order. @type {readonly Method[]} */
export const METHODS = Object.freeze([
  "projected", "partition", "adjoint", "symmetric", "forward", "polynomial", "norm", "magnitude", "magnitude-global", "wanda", "random",
]); // prettier-ignore

/** Those that find blocks of units, and so have a linkage. @type {readonly Method[]} */
export const PARTITIONING = Object.freeze(["partition", "adjoint", "symmetric", "forward", "polynomial"]);

/** Those that set weights to 0 and leave every neuron. @type {readonly Method[]} */
export const PRUNING = Object.freeze(["magnitude", "magnitude-global", "wanda"]);

/** Those that also work where ONNX Runtime runs the network. @type {readonly Method[]} */
export const OUTSIDE = Object.freeze(["projected", "norm"]);

/** Whether a method can be given a tolerance; the others want a size. @param {Method} method */
export const knowsTolerance = (method) => method !== "norm" && !PRUNING.includes(method);

/** Whether a method takes neurons in the order that their path finds; the others need of it what it is measured on. @param {Method} [method] */
export const wantsOrder = (method = "projected") => method === "projected" || method === "random";

/** @typedef {"complete"|"erode"} Linkage */

/** In nl_linkage's order. @type {readonly Linkage[]} */
export const LINKAGES = Object.freeze(["complete", "erode"]);
