// methods: the ways to make a network smaller, by the names that all faces use. The manual of each stands in src/netlump.h.

/** @typedef {"projected"|"partition"|"adjoint"|"symmetric"|"forward"|"polynomial"|"norm"|"magnitude"|"magnitude-global"|"wanda"|"random"} Method */

/** In nl_method's order. @type {readonly Method[]} */
export const METHODS = Object.freeze([
  "projected", "partition", "adjoint", "symmetric", "forward", "polynomial", "norm", "magnitude", "magnitude-global", "wanda", "random",
]); // prettier-ignore

/** @typedef {"complete"|"erode"} Linkage */

/** In nl_linkage's order. @type {readonly Linkage[]} */
export const LINKAGES = Object.freeze(["complete", "erode"]);
