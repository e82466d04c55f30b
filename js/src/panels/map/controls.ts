// The small parts around the points: choices, buttons with their keys, and the legend.

import { count } from "../../format";
import { button, make } from "../../looks/paper";
import { cssOf } from "./colors";
import { COLORS, colorAt } from "./painter";
import type { Layer } from "./source";

/** Names in a legend; the others are counted. */
const MOST_SHOWN = 12;
/** Colors of the scale that its picture is made of. */
const STOPS = 7;

/** One of several values, one after the other by a key. */
export function choice<T extends string>(
  title: string,
  key: string,
  values: readonly T[],
  chosen: T,
  choose: (value: T) => void,
  does?: Readonly<Record<T, string>>,
): HTMLElement {
  const group = make("div", "nblabel-map-choice");
  group.setAttribute("role", "group");
  group.setAttribute("aria-label", title);
  const name = make("span", "nblabel-soft", title);
  name.append(" ", make("kbd", "", key));
  group.append(name);
  for (const value of values) {
    const one = button(value, does?.[value] ?? `${title} ${value}`, () => choose(value));
    one.setAttribute("aria-pressed", String(value === chosen));
    group.append(one);
  }
  return group;
}

/** What the colors of a layer mean, and how many points have each; one is chosen to stand out. */
export function legend(
  layer: Layer,
  points: number,
  colors: Uint8Array,
  only: number | null,
  choose: (code: number, name: string) => void,
): HTMLElement[] {
  const isScale = layer.name === "confidence";
  const counts = new Uint32Array(layer.names.length + 2);
  for (let k = 0; k < Math.min(points, layer.codes.length); k++) {
    counts[isScale ? Math.min(1, layer.codes[k]!) : layer.codes[k]!]!++;
  }
  const made: HTMLElement[] = [];
  if (isScale && counts[1]) {
    const scale = make("span", "nblabel-map-scale");
    const bar = make("i");
    const stops = Array.from({ length: STOPS }, (_, k) =>
      cssOf(colors, 1 + Math.round((k / (STOPS - 1)) * (COLORS - 2))),
    );
    bar.style.background = `linear-gradient(to right, ${stops.join(", ")})`;
    scale.append("unsure", bar, "certain");
    made.push(scale);
  }
  const known = layer.names.map((name, k) => ({ name, code: k + 1, n: counts[k + 1]! }));
  if (known.length > MOST_SHOWN) known.sort((a, b) => b.n - a.n);
  const none = isScale || layer.name === "prediction" ? "no model" : "no label";
  const shown = known.slice(0, MOST_SHOWN);
  for (const { name, code, n } of [...shown, { name: none, code: 0, n: counts[0]! }]) {
    if (code === 0 && n === 0) continue;
    const one = make("button", "nblabel-map-entry");
    one.type = "button";
    one.dir = "auto";
    const swatch = make("i");
    swatch.style.background = cssOf(colors, colorAt(code, false));
    one.append(swatch, make("span", "", name), make("small", "", count(n)));
    one.title = `show only ${name}`;
    one.setAttribute("aria-pressed", String(only === code));
    one.addEventListener("click", () => choose(code, name));
    made.push(one);
  }
  const more = known.length - shown.length;
  if (more > 0) made.push(make("span", "nblabel-soft", `and ${count(more)} more`));
  return made;
}
