// A view whose code is fetched when it is first shown.
import { useEffect, useState } from "preact/hooks";

import { text } from "../messages.js";

/** @param {{load: () => Promise<{View: import("preact").ComponentType}>}} props */
export function Later({ load }) {
  const [loaded, setLoaded] = useState(/** @type {{View: import("preact").ComponentType}|null} */ (null));
  const [failed, setFailed] = useState(false);
  useEffect(() => {
    setLoaded(null);
    load().then(setLoaded, () => setFailed(true));
  }, [load]);
  if (failed) return <p role="alert">{text.viewMissing}</p>;
  return loaded && <loaded.View />;
}
