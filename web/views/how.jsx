// How it works, in two screens: what the method is, how a result is checked, what it cannot do, where it comes from.
import { Drawing } from "../classroom/drawing.jsx";
import { PRESETS } from "../classroom/presets.js";
import { howText } from "../messages_how.js";
import { Figure } from "./figure.jsx";

export function View() {
  return (
    <article class="how-page">
      <header class="how-lead">
        <div>
          <h1>{howText.title}</h1>
          {howText.lead.map((sentence) => (
            <p key={sentence}>{sentence}</p>
          ))}
          <p>
            <a href="#class">{howText.toClass}</a>
          </p>
        </div>
        <Figure />
      </header>
      <div class="how-grid">
        <Part name="ode">
          <Encodings />
        </Part>
        <Part name="alike">
          <Alike />
        </Part>
        <Part name="quotient">
          <Quotient />
        </Part>
        <Part name="projected">
          <Projected />
          <Going />
        </Part>
        <Part name="polish" />
        <Part name="checked" />
        <Limits />
        <Sources />
      </div>
    </article>
  );
}

/** @param {{name: keyof typeof howText.parts, children?: import("preact").ComponentChildren}} props */
function Part({ name, children }) {
  const { title, before, after = [] } = /** @type {{title: string, before: string[], after?: string[]}} */ (howText.parts[name]);
  return (
    <section class={`card how-${name}`} aria-labelledby={`how-${name}`}>
      <h2 id={`how-${name}`}>{title}</h2>
      {before.map((sentence) => (
        <p key={sentence}>{sentence}</p>
      ))}
      {children}
      {after.map((sentence) => (
        <p key={sentence}>{sentence}</p>
      ))}
    </section>
  );
}

function Limits() {
  return (
    <section class="card how-wide" aria-labelledby="how-limits">
      <h2 id="how-limits">{howText.limitsTitle}</h2>
      <ul class="how-limits">
        {howText.limits.map(([what, why]) => (
          <li key={what}>
            <strong>{what}</strong> {why}
          </li>
        ))}
      </ul>
    </section>
  );
}

function Sources() {
  return (
    <section class="card how-wide" aria-labelledby="how-sources">
      <h2 id="how-sources">{howText.sourcesTitle}</h2>
      <ol class="how-sources">
        {howText.sources.map(({ authors, title, where, arxiv }) => (
          <li key={title}>
            {authors}: <cite>{title}</cite>, {where}
            {arxiv && (
              <>
                {", "}
                <a href={`https://arxiv.org/abs/${arxiv}`} target="_blank" rel="noreferrer">
                  arXiv {arxiv}
                </a>
              </>
            )}
            .
          </li>
        ))}
      </ol>
    </section>
  );
}

// ---- drawings and equations ---------------------------------------------------------------------------------------------

/** The fourth neuron of the prepared network, in terms of the others: exactly so, (x1 − x2)² = 2 x1² + 2 x2² − (x1 + x2)². */
const SHARES = [2, 2, -1];

const Going = () => <Drawing net={PRESETS.combination.net} title={howText.going} gone={(_, neuron) => neuron === 3} takeovers={SHARES.map((share, to) => ({ layer: 1, from: 3, to, share }))} pair={{ layer: 1, neurons: [4] }} />;

const PLAIN = /** @type {object} */ ({ stretchy: "false" });
const OPEN = /** @type {object} */ ({ stretchy: "false", form: "prefix" });
const CLOSE = /** @type {object} */ ({ stretchy: "false", form: "postfix" });
const SHOWN = /** @type {object} */ ({ displaystyle: "true" });
const TILDE = /** @type {object} */ ({ accent: "true" });

/** @param {{children: import("preact").ComponentChildren}} props */
const Formula = ({ children }) => (
  <div class="scroll formula" tabIndex={0} role="group" aria-label={howText.formula}>
    <math {...SHOWN}>
      <mrow>{children}</mrow>
    </math>
  </div>
);

/** @param {{of: string, low: string}} props */
const Low = ({ of, low }) => (
  <msub>
    <mi>{of}</mi>
    <mrow>
      {[...low].map((letter) => (
        <mi key={letter}>{letter}</mi>
      ))}
    </mrow>
  </msub>
);

/** @param {{low: string}} props */
const Sum = ({ low }) => (
  <munder>
    <mo>∑</mo>
    <mi>{low}</mi>
  </munder>
);

/** @param {{of: string}} props */
const Tilde = ({ of }) => (
  <mover {...TILDE}>
    <mi>{of}</mi>
    <mo {...PLAIN}>˜</mo>
  </mover>
);

/** @param {{children: import("preact").ComponentChildren}} props */
const Norm = ({ children }) => (
  <>
    <mo {...PLAIN}>‖</mo>
    {children}
    <mo {...PLAIN}>‖</mo>
  </>
);

function Encodings() {
  const affine = (
    <>
      <Sum low="j" />
      <Low of="w" low="kj" />
      <Low of="a" low="j" />
      <mo>+</mo>
      <Low of="b" low="k" />
    </>
  );
  return (
    <dl class="encodings">
      <dt>{howText.encodings.adjoint}</dt>
      <dd>
        <Formula>
          <Low of="a" low="j" />
          <mo>′</mo>
          <mo>=</mo>
          <Sum low="k" />
          <Low of="w" low="kj" />
          <Low of="a" low="k" />
        </Formula>
      </dd>
      <dt>{howText.encodings.linear}</dt>
      <dd>
        <Formula>
          <Low of="a" low="k" />
          <mo>′</mo>
          <mo>=</mo>
          {affine}
        </Formula>
      </dd>
      <dt>{howText.encodings.polynomial}</dt>
      <dd>
        <Formula>
          <Low of="a" low="k" />
          <mo>′</mo>
          <mo>=</mo>
          <mo>−</mo>
          <Low of="a" low="k" />
          <mo>+</mo>
          <mi>p</mi>
          <mo {...PLAIN}>(</mo>
          {affine}
          <mo {...PLAIN}>)</mo>
        </Formula>
      </dd>
    </dl>
  );
}

const Alike = () => (
  <Formula>
    <mn>3</mn>
    <mo {...PLAIN}>(</mo>
    <Sum low="B" />
    <mo {...OPEN}>|</mo>
    <munder>
      <mo>∑</mo>
      <mrow>
        <mi>l</mi>
        <mo>∈</mo>
        <mi>B</mi>
      </mrow>
    </munder>
    <mo {...PLAIN}>(</mo>
    <Low of="w" low="il" />
    <mo>−</mo>
    <Low of="w" low="jl" />
    <mo {...PLAIN}>)</mo>
    <mo {...CLOSE}>|</mo>
    <mo>+</mo>
    <mo {...OPEN}>|</mo>
    <Low of="b" low="i" />
    <mo>−</mo>
    <Low of="b" low="j" />
    <mo {...CLOSE}>|</mo>
    <mo {...PLAIN}>)</mo>
    <mo>≤</mo>
    <mi>ε</mi>
  </Formula>
);

/** @param {{of: string, children: import("preact").ComponentChildren}} props */
const Line = ({ of, children }) => (
  <mtr>
    <mtd class="left">
      <Tilde of={of} />
    </mtd>
    <mtd>
      <mo>=</mo>
    </mtd>
    <mtd class="right">
      <mrow>{children}</mrow>
    </mtd>
  </mtr>
);

const Quotient = () => (
  <>
    <Formula>
      <Tilde of="a" />
      <mo>=</mo>
      <mi>R</mi>
      <mi>a</mi>
      <mo>,</mo>
      <mspace width="1em" />
      <mi>a</mi>
      <mo>≈</mo>
      <mi>P</mi>
      <Tilde of="a" />
      <mo>+</mo>
      <mi>p</mi>
    </Formula>
    <Formula>
      <mtable>
        <Line of="W">
          <mi>R</mi>
          <mi>W</mi>
          <mi>P</mi>
        </Line>
        <Line of="b">
          <mi>R</mi>
          <mo {...PLAIN}>(</mo>
          <mi>b</mi>
          <mo>+</mo>
          <mi>W</mi>
          <mi>p</mi>
          <mo {...PLAIN}>)</mo>
        </Line>
      </mtable>
    </Formula>
  </>
);

const Projected = () => (
  <Formula>
    <msup>
      <mi>j</mi>
      <mo>*</mo>
    </msup>
    <mo>=</mo>
    <munder>
      <mi>argmin</mi>
      <mi>j</mi>
    </munder>
    <mfrac>
      <mrow>
        <msup>
          <mrow>
            <Norm>
              <Low of="w" low="j" />
            </Norm>
          </mrow>
          <mn>2</mn>
        </msup>
      </mrow>
      <Low of="H" low="jj" />
    </mfrac>
    <mo>,</mo>
    <mspace width="1em" />
    <mi>H</mi>
    <mo>=</mo>
    <msup>
      <mrow>
        <mo {...PLAIN}>(</mo>
        <mi>C</mi>
        <mo>+</mo>
        <mi>λ</mi>
        <mi>I</mi>
        <mo {...PLAIN}>)</mo>
      </mrow>
      <mrow>
        <mo>−</mo>
        <mn>1</mn>
      </mrow>
    </msup>
  </Formula>
);
