// The buttons of labels: their width, and how likely the model thinks a label is.

import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
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
const AROUND = 115;
/** Wider columns leave too few beside each other: what is longer is cut, and whole in its title. */
const MOST = 220;

/**
 * The buttons of labels, in columns as narrow as the widest name allows, so that nine short labels
 * stand in two rows; no row is much shorter than another.
 */
export function Columns({
  classes,
  children,
}: {
  readonly classes: readonly string[];
  readonly children: ComponentChildren;
}) {
  const group = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const { style, isConnected } = group.current!;
    const font = getComputedStyle(isConnected ? group.current! : document.body).fontFamily;
    const widest = widestOf(classes, `14px ${font}`);
    if (widest !== null) {
      const width = Math.min(AROUND + Math.ceil(widest), MOST);
      style.setProperty("--nbl-column", leastWidth(classes.length, width));
    }
  }, [classes]);
  return (
    <div ref={group} class="nblabel-labels" role="group" aria-label="labels">
      {children}
    </div>
  );
}

/** Between two buttons, in pixels. */
const GAP = 8;

/**
 * How wide a column is at least, in CSS: of the numbers of columns that fill their rows, such as
 * four, two or one for four buttons, that of the most that fit, whatever room there is.
 */
export function leastWidth(n: number, width: number): string {
  const rows = Array.from({ length: n }, (_, k) => Math.ceil(n / (k + 1)));
  const columns = [...new Set(rows)];
  const widths = columns.map((k, place) => {
    const share = `(100% - ${(k - 1) * GAP}px) / ${k} - 0.1px`;
    const more = columns[place - 1];
    if (more === undefined) return `calc(${share})`;
    // Far below 0 if one more column fits, else far above what a column is given.
    const lacks = `(${more * width + (more - 1) * GAP}px - 100%) * 9999`;
    return `min(${share}, ${lacks})`;
  });
  return `max(${widths.join(", ")})`;
}

/** How many pixels the widest of some texts takes, null where nothing can be drawn. */
function widestOf(texts: readonly string[], font: string): number | null {
  const context = document.createElement("canvas").getContext("2d");
  if (!context) return null;
  context.font = font;
  return Math.max(...texts.map((text) => context.measureText(text).width));
}
