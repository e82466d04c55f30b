// The buttons of labels: their width, and how likely the model thinks a label is.

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

/**
 * What the model says of a label, on its button: a bar as long as it is likely, and a frame for the
 * label that it suggests. It changes with every item, so it is an element of its own, which a
 * browser styles much faster than a button, and nothing that would have to be clipped or moved.
 */
export function Hint({
  share,
  suggested,
}: {
  readonly share: number | null;
  readonly suggested: boolean;
}) {
  return (
    <i
      class={suggested ? "nblabel-hint nblabel-suggested" : "nblabel-hint"}
      style={{ backgroundSize: `${((share ?? 0) * 100).toFixed(1)}% 3px` }}
    />
  );
}

/** What surrounds a name on its button: padding, key, number, and the key that accepts. */
const AROUND = 118;
const A_LETTER = 8;

/** Columns as narrow as the longest name allows, so that nine short labels stand in two rows. */
export function columns(classes: readonly string[]): Record<string, string> {
  const longest = Math.max(...classes.map((name) => name.length));
  return { "--nbl-column": `${Math.min(AROUND + A_LETTER * longest, 220)}px` };
}
