import { openSample } from "../opening.js";
import { text } from "../messages.js";
import { state } from "../state.js";
import { Figure } from "./figure.jsx";
import { FileButton } from "./files.jsx";

export function Start() {
  return (
    <>
      <div class="intro">
        <div>
          <h1>{text.headline}</h1>
          <p class="lead">{text.sentence}</p>
        </div>
        <Figure />
      </div>
      <div class="drop">
        <p class="drop-title">{state.opening.value ? text.opening(state.opening.value) : text.drop}</p>
        <p>{text.dropHint}</p>
        <FileButton label={text.choose} class="primary" name="files" />
      </div>
      {state.samples.value.length > 0 && (
        <section aria-labelledby="samples">
          <h2 id="samples">{text.samples}</h2>
          <ul class="samples">
            {state.samples.value.map((sample) => (
              <li key={sample.id}>
                <button type="button" class="card sample" onClick={() => void openSample(sample)}>
                  <strong>{sample.title}</strong>
                  <span>{sample.sentence}</span>
                  <small>{text.sampleSize(sample.bytes)}</small>
                </button>
              </li>
            ))}
          </ul>
        </section>
      )}
      <dl class="facts">
        {text.facts.map(([term, fact]) => (
          <div key={term}>
            <dt>{term}</dt>
            <dd>{fact}</dd>
          </div>
        ))}
      </dl>
    </>
  );
}
