// The words shared by page, command line and API. Types only: nothing here runs.

/**
 * @typedef {'onnx'|'json'|'tfjs'|'brain'} Format   json: netlump's; tfjs: TensorFlow.js layers models; brain: brain.js
 * @typedef {{name: string, type: string, shape: (number|null)[], levels?: number|null}} Port   levels: whole numbers below that are expected
 * @typedef {{name: string, op: string, width: number, activation: string|null, site: number|null, reason: string|null}} Layer
 * @typedef {{node: string, reason: string}} Skipped
 * @typedef {{
 *   name: string, format: Format, producer: string, opset: number, parameters: number, bytes: number, relumped: boolean,
 *   engine: 'forward'|'runtime', polishes: boolean, normalises: boolean, large?: boolean, inputs: Port[], outputs: Port[], features: number, results: number, batch: number|null, computed: string[],
 *   layers: Layer[], sites: {name: string, width: number}[], skipped: Skipped[]
 * }} ModelInfo   what nl_model_describe gives, plus the file's name. engine: the core evaluates the network itself, or ONNX Runtime
 *   does; then features is 0 while the inputs' sizes are not known. large: its tensors stay in its file (away.js)
 *
 * @typedef {{kind: 'epsilon'|'retain'|'deviation', value: number}} SizeTarget   retain and deviation as fractions: 0.3, 0.01
 * @typedef {{kind: 'accuracy'|'mse', value: number}} ScoreTarget   at least so accurate (0.97), or at most so large an error, on labelled rows
 * @typedef {SizeTarget|ScoreTarget} Target
 * @typedef {{epsilon: number, parameters: number, retained: number, widths: number[]}} Choice
 * @typedef {{name: string, width: number, order: number[], deviation: number[]}} SitePath
 * @typedef {{kind: 'normal'|'normalised'|'box'|'data', rows: number, source?: string}} Measure   source: the data file's name
 * @typedef {{measure: Measure, seed: number, sites: SitePath[]}} PathInfo
 *
 * @typedef {{rms: number, max: number, deviation: number, rows: number, runtime: string, agrees: boolean|null, calibrated?: boolean}} Verified
 *   rms and max of the difference of the outputs, absolute; deviation: rms over the original's spread, of the model's own
 *   outputs also where the core cannot evaluate it to the end (then this is the deviation reported); agrees: the runtime's
 *   deviation of what the core computes equals the core's; null where the runtime does not give those values; calibrated: the
 *   report's deviation is with the network's normalisations set to random inputs, this one is not, and they need not be equal
 * @typedef {{kind: 'mse'|'accuracy', before: number, after: number, rows: number, heldOut: boolean, explained: {before: number, after: number}|null}} Score
 *   explained: share of the labels' variance (R²), with mse
 * @typedef {{name: string, width: number, values: Float64Array}} Answer   one output's numbers, (rows, width)
 * @typedef {{
 *   netlump: string, model: string, format: Format, engine: 'forward'|'runtime', method: import('./methods.js').Method, epsilon: number|null, target: Target,
 *   measure: Measure, seed: number, parameters: {before: number, after: number}, retained: number,
 *   bytes: {before: number, after: number}, deviation: number, largest: number,
 *   polish: {iterations: number, before: number, after: number}|null,
 *   verified: Verified|{skipped: string}|null, score: Score|null, certificate: Certificate|{unavailable: string}|null,
 *   sites: {name: string, before: number, after: number, deviation: number|null, kept: number[]}[], skipped: Skipped[]
 * }} Report   what --json prints and the page shows; epsilon null where the method knows no tolerance; polish: deviation on
 *   the rows it held back, before and after, null where there was none
 *
 * @typedef {{epsilon: number|null, retained: number, parameters: number, widths: number[], deviation: number, score: number|null,
 *   method: import('./methods.js').Method, polished: boolean}} CurvePoint
 *
 * @typedef {{method: import('./methods.js').Method, polished: boolean, share: number, retained: number|null, parameters: number|null,
 *   epsilon: number|null, deviation: number|null, score: number|null, polish: Report['polish'], missing: string|null}} Compared
 *   one method at one size; missing: why there is none; deviation and score over the comparison's rows, not the measure
 * @typedef {{rows: {count: number, source: string|null, heldOut: boolean}, score: {kind: 'mse'|'accuracy', value: number}|null,
 *   shares: number[], methods: import('./methods.js').Method[], entries: Compared[]}} Comparison
 *   rows: what all were judged on (source null: random rows, fresh ones); heldOut: none of them was in the measure; score: the
 *   original's
 *
 * @typedef {{features: Float64Array, labels: Float64Array|null, rows: number, columns: number, labelColumns: number,
 *   names: string[]|null, source: string, pictures?: boolean, roles?: import('./columns.js').Role[], classes?: (string[]|null)[],
 *   preview?: string[][], scale?: import('./scale.js').Scale}} Table   features (rows, inputs), labels (rows, labelColumns); columns and
 *   names: of the file; pictures: they were images; roles: of every column; classes: what the numbers 0, 1, ... of a label column
 *   stand for, where it holds words; preview: the first cells; scale: of the inputs as they stand in the file
 *
 * @typedef {{encoding?: 'linear'|'adjoint'|'polynomial', equivalence?: 'fde'|'bde', linkage?: 'complete'|'erode', epsilon?: number,
 *   degree?: number, symmetric?: boolean}} EquivalenceOptions   adjoint, fde, complete, 0; degree of fitted polynomials, 0: a
 *   default for each activation; symmetric: adjoint fde up to a factor or a sign
 *
 * @typedef {{layer: number, degree: number, fitted: boolean, mean: number, spread: number, rms: number, largest: number,
 *   coefficients: number[]}} Polynomial   an activation, exactly or fitted; mean, spread: of the pre-activations fitted on;
 *   rms, largest: error of the fit over the activation's RMS
 * @typedef {{blocks: string[][], constant: string[], polynomials?: Polynomial[]}} Blocks   constant: in no block, only with
 *   symmetric; polynomials: of the polynomial encoding
 * @typedef {{stays: number[], leaves: number[], pair: [number, number], distance: number, terms: [number, number][]|null}} Split
 *   pair: the two that are further apart than ε; terms: what their distance adds up
 * @typedef {{layer: number, neighbour: number, factor: number, neurons: number[], distances: number[][], splits: Split[],
 *   blocks: number[][], constant: {neuron: number, value: number}[], scale: number[]}} TraceStep   one layer; all numbers from 1
 * @typedef {{weights: number[][], bias: number[], kept?: number[], prolongation?: number[][]}} QuotientLayer   kept, prolongation: of hidden layers
 * @typedef {{steps: TraceStep[], quotient: QuotientLayer[]|null, polynomials?: Polynomial[]}} Trace   quotient: of the equations,
 *   as the network whose encoding it is
 *
 * @typedef {{original: Float64Array, reduced: Float64Array, rows: number, results: number, whole: boolean}} Answers   of both networks on some
 *   rows, (rows, results); results: as many numbers of a row as are worth showing; whole: these are all, of one output
 * @typedef {Answers & {labels: Float64Array|null, total: number, drawn: boolean}} Outputs   labels: of those rows, where there is one
 *   column; total: rows there are; drawn: made up, there is no data
 *
 * @typedef {{bound: number|null, bounds: (number|null)[], found: number, foundAt: number[], points: number,
 *   method: 'intervals'|'zonotope'|'quadratic'|'cubic'|'none', boxes: number, beforeSoftmax: boolean, low: number[], high: number[]}} Certificate
 *   bound: nowhere between low and high is an output further from the original's, null where nothing was proved; found: the
 *   largest change a search met, at the inputs foundAt; beforeSoftmax: it speaks of what goes into a last softmax
 *
 * @typedef {{site: number, before: number, after: number, kept: number[], blocks: (number|null)[], prolongation: number[][]|null,
 *   offset: number[]|null}} Lumping   of a site, a ≈ P ã + p; blocks: for each neuron which of `kept` stands for it, null: a constant in the
 *   bias, or gone; prolongation (before, after), offset (before): null where large or all stay
 * @typedef {{layer: number, width: number, reads: number, from: number|null, weights: Float64Array}} Weights   (width, reads); from: the
 *   layer that is read, null: the model's inputs
 *
 * @typedef {{stage: 'runtime'|'path'|'refit'|'search'|'polish'|'curve'|'compare'|'verify'|'certify', fraction: number, part?: number}} Progress   part: how far the present run of the
 *   network is, where ONNX Runtime runs it
 *
 * @typedef {{status: number, code: string, message: string, place: string, detail: string}} Fault   what an EngineError carries
 */
export {};
