// The picture of a map: which points in which colours, drawn no faster than they can be.

import {
  Index,
  WHOLE,
  onScreen,
  shuffled,
  type Camera,
  type Points,
  type Room,
  type Spot,
} from "../../plane";
import { COLORS, type Painter } from "./painter";
import { Selection } from "./selection";

/** A frame that moves takes no longer than this, in milliseconds; where it would, some points wait. */
const BUDGET_MS = 24;
const LEAST_POINTS = 4000;
/** All points come back when nothing has moved for this long. */
const STILL_MS = 140;
const MOST_DENSITY = 2;

export interface Palette {
  /** `COLORS` of them, 4 bytes each. */
  readonly colors: Uint8Array;
  readonly ring: readonly [number, number, number];
}

/** Across a point, in pixels: fewer points are larger, and all grow as one comes closer. */
export function sizeOf(count: number, zoom: number): number {
  const size = Math.min(7, Math.max(1.6, 900 / Math.sqrt(Math.max(1, count))));
  return Math.min(10, size * Math.min(3, zoom ** 0.35));
}

export class Scene {
  index = new Index(new Float32Array(0));
  selection = new Selection(0);
  camera: Camera = WHOLE;
  room: Room = { width: 1, height: 1 };
  only: number | null = null;
  ramp = false;
  private order: Uint32Array = new Uint32Array(0);
  private inverse = new Uint32Array(0);
  private codes = new Uint16Array(0);
  private chosen = new Uint8Array(0);
  private palette: Palette = { colors: new Uint8Array(4 * COLORS), ring: [0, 0, 0] };
  private perPoint = 0;
  private movedAt = -Infinity;
  private recolored = false;
  private frame = 0;
  private stale = false;
  private begun: { readonly at: number; readonly count: number } | null = null;
  private timer = 0;

  constructor(
    readonly painter: Painter,
    /** What is drawn is on its way. */
    private readonly drawn: () => void,
    /** It is on the screen: so many points, which took so many milliseconds. */
    private readonly through: (count: number, ms: number) => void,
  ) {}

  get points(): Points {
    return this.index.points;
  }

  get count(): number {
    return this.index.count;
  }

  load(points: Points): void {
    this.index = new Index(points);
    const { count } = this;
    this.order = shuffled(count);
    this.inverse = new Uint32Array(count);
    const mixed = new Float32Array(points.length);
    this.order.forEach((place, k) => {
      this.inverse[place] = k;
      mixed[2 * k] = points[2 * place]!;
      mixed[2 * k + 1] = points[2 * place + 1]!;
    });
    this.codes = new Uint16Array(count);
    this.chosen = new Uint8Array(count);
    this.selection = new Selection(count, (place, chosen) => {
      this.chosen[this.inverse[place]!] = chosen ? 1 : 0;
      this.recolored = true;
    });
    this.painter.load(mixed);
    this.recolored = true;
    this.draw();
  }

  /** The codes of the points in their own order. */
  color(codes: Uint16Array, ramp: boolean): void {
    this.ramp = ramp;
    for (let k = 0; k < this.order.length; k++) this.codes[k] = codes[this.order[k]!] ?? 0;
    this.recolored = true;
    this.draw();
  }

  dress(palette: Palette): void {
    this.palette = palette;
    this.draw();
  }

  look(camera: Camera): void {
    this.camera = camera;
    this.movedAt = performance.now();
    this.draw();
  }

  where(place: number): Spot {
    return { x: this.points[2 * place]!, y: this.points[2 * place + 1]! };
  }

  onScreen(place: number): Spot {
    return onScreen(this.camera, this.room, this.where(place));
  }

  /** Draw soon; what is asked for while a picture is on its way is one picture more. */
  draw(): void {
    this.stale = true;
    if (!this.frame) this.frame = requestAnimationFrame(this.tick);
  }

  private readonly tick = (): void => {
    this.frame = 0;
    const { begun, painter } = this;
    if (begun) {
      if (!painter.done()) {
        this.frame = requestAnimationFrame(this.tick);
        return;
      }
      const took = performance.now() - begun.at;
      if (begun.count >= LEAST_POINTS) this.perPoint = took / begun.count;
      this.begun = null;
      this.through(begun.count, took);
    }
    if (!this.stale) return;
    this.stale = false;
    if (this.recolored) painter.color(this.codes, this.chosen);
    this.recolored = false;
    const now = performance.now();
    const moves = now - this.movedAt < STILL_MS;
    const most = this.perPoint ? Math.max(LEAST_POINTS, BUDGET_MS / this.perPoint) : this.count;
    const count = Math.min(this.count, moves ? Math.floor(most) : this.count);
    painter.paint({
      camera: this.camera,
      room: this.room,
      density: Math.min(MOST_DENSITY, window.devicePixelRatio || 1),
      size: sizeOf(this.count, this.camera.zoom),
      colors: this.palette.colors,
      ramp: this.ramp,
      only: this.only,
      ring: this.palette.ring,
      count,
    });
    this.begun = { at: now, count };
    this.drawn();
    clearTimeout(this.timer);
    if (count < this.count) this.timer = window.setTimeout(() => this.draw(), STILL_MS);
    this.frame = requestAnimationFrame(this.tick);
  };

  destroy(): void {
    cancelAnimationFrame(this.frame);
    clearTimeout(this.timer);
    this.painter.destroy();
  }
}
