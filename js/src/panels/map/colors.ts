// The colours of a map: those of the labels, and a scale from unsure to certain.

import { CLASSES, COLORS } from "./painter";
import type { Palette } from "./scene";

/** From unsure, which is what one looks for, to certain: each closer to the background. */
const SCALES = {
  light: ["#0b3346", "#176b87", "#6f8fbd", "#c3bdd6"],
  dark: ["#f4f1a1", "#5cc0b5", "#4a7ba6", "#4b4763"],
} as const;
const NONE = { light: "#a9a9b3", dark: "#656b74" } as const;

export type Theme = keyof typeof SCALES;

/** `#rrggbb`, or what a browser answers with, as numbers. */
export function bytesOfColor(text: string): readonly [number, number, number] {
  const hex = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/i.exec(text.trim());
  const parts = hex
    ? hex.slice(1).map((part) => parseInt(part, 16))
    : (text.match(/[\d.]+/g) ?? []).slice(0, 3).map(Number);
  const [red = 119, green = 119, blue = 119] = parts;
  return [red, green, blue];
}

export function scaleColor(theme: Theme, at: number): readonly [number, number, number] {
  const stops = SCALES[theme].map(bytesOfColor);
  const place = Math.min(1, Math.max(0, at)) * (stops.length - 1);
  const k = Math.min(stops.length - 2, Math.floor(place));
  const part = (channel: 0 | 1 | 2) => {
    const [low, high] = [stops[k]![channel], stops[k + 1]![channel]];
    return Math.round(low + (high - low) * (place - k));
  };
  return [part(0), part(1), part(2)];
}

export function paletteOf(el: Element, theme: Theme, ramp: boolean): Palette {
  const style = getComputedStyle(el);
  const colors = new Uint8Array(4 * COLORS);
  for (let k = 0; k < COLORS; k++) {
    const color =
      k === 0
        ? bytesOfColor(NONE[theme])
        : ramp
          ? scaleColor(theme, (k - 1) / (COLORS - 2))
          : bytesOfColor(style.getPropertyValue(`--nbl-c${(k - 1) % CLASSES}`));
    colors.set([...color, 255], 4 * k);
  }
  return { colors, ring: theme === "dark" ? [255, 255, 255] : [20, 20, 24] };
}

export const cssOf = (colors: Uint8Array, at: number): string =>
  `rgb(${colors[4 * at]}, ${colors[4 * at + 1]}, ${colors[4 * at + 2]})`;
