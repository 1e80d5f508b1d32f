// Equations in MathML, which browsers draw themselves.
import { number } from "../format.js";
import { classText } from "../messages_classroom.js";
import { asText, powers, size } from "./equations.js";

/** @typedef {import("./equations.js").Variable} Variable @typedef {import("./equations.js").Equation} Equation */

// MathML's attributes are words, also where they say true or false.
const DISPLAY = /** @type {object} */ ({ displaystyle: "true" });
const PLAIN = /** @type {object} */ ({ stretchy: "false" });
const COMMA = /** @type {object} */ ({ separator: "true" });
const POSTFIX = /** @type {object} */ ({ form: "postfix", lspace: "0", rspace: "0" });
const PREFIX = /** @type {object} */ ({ form: "prefix" });
const INFIX = /** @type {object} */ ({ form: "infix" });

/** @param {{of: Variable, rate?: boolean}} props */
export function Name({ of: { base, sub, block }, rate = false }) {
  const shade = block === null ? "" : `b${block}`;
  const letter = <mi class={shade}>{base}</mi>;
  const name = sub === "" ? letter : (
    <msub>
      {letter}
      <mrow class={shade}>{sub.split(",").map((part, i) => [i > 0 && <mo key={`c${i}`} {...COMMA}>,</mo>, <mn key={i}>{part}</mn>])}</mrow>
    </msub>
  );
  return rate ? <mrow>{name}<mo class="prime" {...POSTFIX}>′</mo></mrow> : name;
}

/** @typedef {(of: Variable) => boolean} Pick   whether a term is pointed at */

/** @param {{terms: import("./equations.js").Term[], leading?: boolean, pick?: Pick}} props   leading: nothing stands before the sum */
function Sum({ terms, leading = true, pick = () => false }) {
  return terms.map((term, i) => {
    const sign = term.value < 0 ? "−" : leading && i === 0 ? null : "+";
    const written = size(term);
    return [
      sign && <mo key={`s${i}`} {...(leading && i === 0 ? PREFIX : INFIX)}>{sign}</mo>,
      <mrow key={`t${i}`} class={term.of && pick(term.of) ? "meant" : ""}>
        {written && <mn>{written}</mn>}
        {written && term.of && <mspace width="0.12em" />}
        {term.of && <Name of={term.of} />}
      </mrow>,
    ];
  });
}

/** @param {{name: string}} props   "p2", "tanh" */
function Function({ name }) {
  const [, letter, index] = /** @type {RegExpMatchArray} */ (name.match(/^(\D+)(\d*)$/));
  return index ? <msub><mi>{letter}</mi><mn>{index}</mn></msub> : letter === "square" ? null : <mi>{letter}</mi>;
}

/** @param {{equation: Equation, pick?: Pick}} props */
function Right({ equation: { left, leak, wrap, terms }, pick }) {
  const square = wrap === "square";
  const alone = square && terms.length === 1 && size(terms[0]) === "" && terms[0].value > 0;
  const body = alone ? <Sum terms={terms} pick={pick} /> : (
    <mrow>
      <mo {...PLAIN}>(</mo>
      <Sum terms={terms} pick={pick} />
      <mo {...PLAIN}>)</mo>
    </mrow>
  );
  return (
    <mrow>
      {leak && <mo {...PREFIX}>−</mo>}
      {leak && <Name of={left} />}
      {leak && wrap && <mo>+</mo>}
      {wrap && !square && <Function name={wrap} />}
      {square ? <msup>{alone ? <mrow>{body}</mrow> : body}<mn>2</mn></msup> : wrap ? body : <Sum terms={terms} leading={!leak} pick={pick} />}
    </mrow>
  );
}

/** Equations below each other, their signs of equality too. @param {{equations: Equation[], marked?: (equation: Equation) => boolean, pick?: Pick}} props */
export function Aligned({ equations, marked = () => false, pick }) {
  return (
    <math class="aligned" {...DISPLAY}>
      <mtable>
        {equations.map((equation) => (
          <mtr key={asText(equation)} class={marked(equation) ? "marked" : ""}>
            <mtd class="left"><Name of={equation.left} rate={equation.rate} /></mtd>
            <mtd><mo>{equation.about ? "≈" : "="}</mo></mtd>
            <mtd class="right"><Right equation={equation} pick={pick} /></mtd>
          </mtr>
        ))}
      </mtable>
    </math>
  );
}

/** The layers' equations, with what they are called. @param {{groups: import("./equations.js").Group[], count: number, lumped?: boolean,
 *   marked?: (equation: Equation) => boolean, pick?: Pick}} props   count: layers without the inputs */
export function Groups({ groups, count, lumped = false, marked, pick }) {
  return groups.map(({ title, equations }) => (
    <div key={title} class="group">
      <h3>{classText.layerTitle(title, count, lumped)}</h3>
      <Aligned equations={equations} marked={marked} pick={pick} />
    </div>
  ));
}

/** p(z) = c0 + c1 z + … @param {{name: string, coefficients: number[]}} props */
export function Polynomial({ name, coefficients }) {
  return (
    <math {...DISPLAY}>
      <mrow>
        <Function name={name} />
        <mo {...PLAIN}>(</mo><mi>z</mi><mo {...PLAIN}>)</mo>
        <mo>=</mo>
        {powers(coefficients).map(({ value, power }, i) => [
          (value < 0 || i > 0) && <mo key={`s${power}`} {...(i > 0 ? INFIX : PREFIX)}>{value < 0 ? "−" : "+"}</mo>,
          (power === 0 || number(Math.abs(value)) !== "1") && <mn key={`n${power}`}>{number(Math.abs(value))}</mn>,
          power > 0 && (power === 1 ? <mi key={power}>z</mi> : <msup key={power}><mi>z</mi><mn>{power}</mn></msup>),
        ])}
      </mrow>
    </math>
  );
}

/** What a pair's distance adds up: 3 (|0.5 − 0.6| + |…|) = 0.3. @param {{pair: [number, number], factor: number, terms: [number, number][]|null,
 *   distance: number, epsilon: string, shown: string, above: boolean}} props */
export function Distance({ pair, factor, terms, epsilon, shown, above }) {
  return (
    <math {...DISPLAY}>
      <mrow>
        <mi>d</mi><mo {...PLAIN}>(</mo><mn>{pair[0]}</mn><mo {...COMMA}>,</mo><mn>{pair[1]}</mn><mo {...PLAIN}>)</mo>
        <mo>=</mo>
        {terms ? (
          <>
            {factor !== 1 && <mn>{factor}</mn>}
            {factor !== 1 && <mo>⋅</mo>}
            <mo {...PLAIN}>(</mo>
            {terms.map(([a, b], i) => [
              i > 0 && <mo key={`p${i}`}>+</mo>,
              <mrow key={i}>
                <mo {...PLAIN}>|</mo>
                <mn>{number(a)}</mn>
                <mo>{b < 0 ? "+" : "−"}</mo>
                <mn>{number(Math.abs(b))}</mn>
                <mo {...PLAIN}>|</mo>
              </mrow>,
            ])}
            <mo {...PLAIN}>)</mo>
          </>
        ) : (
          <>
            <msub><mrow><mo {...PLAIN}>‖</mo><msub><mi>f</mi><mn>{pair[0]}</mn></msub><mo>−</mo><msub><mi>f</mi><mn>{pair[1]}</mn></msub><mo {...PLAIN}>‖</mo></mrow><mn>1</mn></msub>
          </>
        )}
        <mo>=</mo>
        <mn>{shown}</mn>
        <mo>{above ? ">" : "≤"}</mo>
        <mi>ε</mi><mo>=</mo><mn>{epsilon}</mn>
      </mrow>
    </math>
  );
}
