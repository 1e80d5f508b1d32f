// Sizes at which the tests run models whose files leave them open, by the model's name. The first axis counts rows.

/** @type {[RegExp, Record<string, number[]>][]} */
const SIZES = [
  [/^open_size\.onnx$/, { input: [1, 1, 9, 9] }],
  [/^tokens\.onnx$/, { ids: [1, 6] }],
];

/** @param {string} name of the model's file @returns {Map<string, number[]>} */
export const shapesFor = (name) => new Map(Object.entries(SIZES.find(([pattern]) => pattern.test(name))?.[1] ?? {}));
