import { text } from "../messages.js";
import { declineUpdate, offline, takeUpdate } from "../offline.js";

/** Asks whether to go on with the new version: a model that is open would have to be opened again. */
export function Update() {
  const update = offline.update.value;
  return (
    <div role="status">
      {update && (
        <div class="update">
          <p>{update === "asks" ? text.updateAsks : text.updateElsewhere}</p>
          <button type="button" class="link" onClick={() => void takeUpdate()}>
            {text.updateTake}
          </button>
          <button type="button" class="link" onClick={declineUpdate}>
            {text.updateLater}
          </button>
        </div>
      )}
    </div>
  );
}
