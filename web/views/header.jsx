import { single } from "../assets.js";
import { openSample } from "../opening.js";
import { VIEWS, writeAddress } from "../address.js";
import { text } from "../messages.js";
import { offline } from "../offline.js";
import { state } from "../state.js";

export function Header() {
  return (
    <header class="top">
      <p class="logo">
        net<span>lump</span>
      </p>
      <nav class="views" aria-label={text.viewsName}>
        {VIEWS.map((view) => (
          <a key={view} href={writeAddress(view)} aria-current={view === state.view.value ? "page" : undefined}>
            {text.views[view]}
          </a>
        ))}
      </nav>
      {state.view.value === "work" && state.model.value && state.samples.value.length > 0 && (
        <nav aria-label={text.samplesShort}>
          <span>{text.samplesShort}</span>
          {state.samples.value.map((sample) => (
            <button key={sample.id} type="button" class="quiet" title={sample.sentence} onClick={() => void openSample(sample)}>
              {sample.title}
            </button>
          ))}
        </nav>
      )}
      <p class="private">
        <Lock /> {text.private}
        <span class="offline" role="status">
          {single ? text.singleFile : offline.ready.value ? text.offlineReady : ""}
        </span>
      </p>
    </header>
  );
}

function Lock() {
  return (
    <svg width="12" height="14" viewBox="0 0 12 14" aria-hidden="true">
      <rect x="1" y="6" width="10" height="7" rx="1.5" fill="currentColor" />
      <path d="M3.5 6V4a2.5 2.5 0 0 1 5 0v2" fill="none" stroke="currentColor" stroke-width="1.5" />
    </svg>
  );
}
