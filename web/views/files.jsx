import { useRef } from "preact/hooks";

import { openFiles } from "../opening.js";

/**
 * A button that opens the file chooser.
 * @param {{label: string, class?: string, name: string}} props   name: of the hidden field, for tests
 */
export function FileButton({ label, class: style = "quiet", name }) {
  const field = useRef(/** @type {HTMLInputElement|null} */ (null));
  return (
    <>
      <button type="button" class={style} onClick={() => field.current?.click()}>
        {label}
      </button>
      <input
        ref={field}
        type="file"
        name={name}
        multiple
        hidden
        aria-label={label}
        onChange={(event) => {
          const input = event.currentTarget;
          void openFiles([...(input.files ?? [])]);
          input.value = "";
        }}
      />
    </>
  );
}
