// Sizes at which the tests run models whose files leave them open, by the model's name. The first axis counts rows.

/** @type {[RegExp, Record<string, number[]>][]} */
const SIZES = [
  [/^open_size\.onnx$/, { input: [1, 1, 9, 9] }],
  [/^tokens\.onnx$/, { ids: [1, 6] }],
  [/ppocr.*cls/, { x: [1, 3, 48, 192] }],
  [/OCRv4_det/, { x: [1, 3, 160, 160] }],
  [/OCRv4_rec/, { x: [1, 3, 48, 160] }],
  [/^silero_vad_v[56]/, { input: [1, 512], state: [2, 1, 128] }],
  [/^npm_silero_vad_v5/, { input: [1, 512], state: [2, 1, 128] }],
  [/^silero_vad(_legacy)?\.onnx$/, { input: [1, 512], h: [2, 1, 64], c: [2, 1, 64] }],
  [/^melspectrogram/, { input: [1, 1760] }],
];

/** @param {string} name of the model's file @returns {Map<string, number[]>} */
export const shapesFor = (name) => new Map(Object.entries(SIZES.find(([pattern]) => pattern.test(name))?.[1] ?? {}));
