// What draws the points of a map: the graphics card, or a canvas where there is none.

import type { Camera, Points, Room } from "../../plane";

/** Colours of a layer, 4 bytes each: of what has none, then of what has one. */
export const COLORS = 256;
/** Classes beyond these begin again. */
export const CLASSES = 10;
/** The code of a probability of one. */
export const CERTAIN = 65_535;

export interface Scene {
  readonly camera: Camera;
  readonly room: Room;
  /** Pixels of the screen to one of the page. */
  readonly density: number;
  /** Across a point, in pixels of the page. */
  readonly size: number;
  /** `COLORS` of them. */
  readonly colors: Uint8Array;
  /** Whether codes are probabilities, not classes. */
  readonly ramp: boolean;
  /** The code whose points alone stand out; null for all. */
  readonly only: number | null;
  /** Around a point that is selected. */
  readonly ring: readonly [number, number, number];
  /** How many points are drawn: all, or a random part of them while something moves. */
  readonly count: number;
}

export interface Painter {
  readonly kind: "webgl" | "canvas";
  readonly canvas: HTMLCanvasElement;
  /** The points, in an order so that the first of them are a random sample of all. */
  load(points: Points): void;
  /** The codes of the points in that order, and which are selected. */
  color(codes: Uint16Array, chosen: Uint8Array): void;
  paint(scene: Scene): void;
  /** Whether what was painted last is on its way to the screen. */
  done(): boolean;
  destroy(): void;
}

/** Where the colour of a code stands. */
export function colorAt(code: number, ramp: boolean): number {
  if (code === 0) return 0;
  return ramp ? 1 + Math.floor((code / CERTAIN) * (COLORS - 2)) : 1 + ((code - 1) % CLASSES);
}

/** What has a colour stands above what has none, and what is selected above all. */
export const LAYERS = 3;
export const layerOf = (code: number, chosen: number): number => (chosen ? 2 : code ? 1 : 0);
/** How much larger it is, and how opaque. */
export const LARGER = [1, 1.25, 1.5] as const;
export const OPAQUE = [0.6, 0.9, 1] as const;
/** Of what is selected the rim is drawn so wide, in pixels of the page. */
export const RIM = 1.5;
/** What does not stand out, where something does. */
export const FAINT = 0.12;
