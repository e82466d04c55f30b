// How likely the model thinks a label is: a number and a bar on the button of the label.

import { percent } from "./format";

/**
 * The number stands in a box of known size inside the one that the button lays out: a browser lays
 * out such a box by itself, but never what is directly in a flexible row.
 */
export function Share({ share }: { readonly share: number | null }) {
  return (
    <span class="nblabel-share">
      <span>{share === null ? "" : percent(share)}</span>
    </span>
  );
}

export function Fill({ share }: { readonly share: number | null }) {
  return <i class="nblabel-fill" style={{ transform: `scaleX(${(share ?? 0).toFixed(3)})` }} />;
}
