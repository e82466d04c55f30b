// Places on a map: a coarse one that is here already, or tiles if the user named a server of them.

import { count } from "../format";
import { pressName, type Press } from "../keymap";
import type { Look, LookHost, MountedLook, Shown } from "../modules";
import css from "./map.css";
import {
  TILE,
  around,
  gridStep,
  moved,
  panned,
  project,
  written,
  type Place,
  type Seen,
} from "./mercator";
import { Paper, button, make, styled, textOf, type Colors } from "./paper";
import world from "./world.json";

const HEIGHT = 320;
/** Width of the whole Earth in a corner. */
const INSET = 120;
/** Closer than that the coarse map has nothing to show. */
const CLOSEST = 7;
const CLOSEST_TILES = 18;
/** How close a single place is shown. */
const USUAL = 4;
const USUAL_TILES = 12;

type Line = Float64Array;

/** The lines of the map, in world coordinates. */
const lines: readonly Line[] = world.arcs.map((steps) => {
  const made = new Float64Array(steps.length);
  let [x, y] = [0, 0];
  for (let k = 0; k < steps.length; k += 2) {
    x += steps[k] ?? 0;
    y += steps[k + 1] ?? 0;
    made.set(project([y / 10, x / 10]), k);
  }
  return unwound(made);
});

/** Coasts, each a ring of lines; one that is negative runs backwards. */
const coasts: readonly Line[] = world.land.map((ring) => {
  const points = ring.flatMap((arc) => {
    const line = lines[arc < 0 ? ~arc : arc] ?? [];
    if (arc >= 0) return [...line];
    const back = [];
    for (let k = line.length - 2; k >= 0; k -= 2) back.push(line[k] ?? 0, line[k + 1] ?? 0);
    return back;
  });
  const coast = unwound(points);
  const [first, last] = [coast[0] ?? 0, coast.at(-2) ?? 0];
  // What goes around the Earth is Antarctica, closed below the map.
  return Math.abs(first - last) < 0.5 ? coast : Float64Array.from([...coast, last, 1, first, 1]);
});

/** A line that goes on beyond the edge where it would jump to the other one. */
function unwound(points: ArrayLike<number>): Line {
  const made = Float64Array.from(points);
  for (let k = 2; k < made.length; k += 2) {
    const before = made[k - 2] ?? 0;
    made[k] = (made[k] ?? 0) + Math.round(before - (made[k] ?? 0));
  }
  return made;
}

class Earth implements MountedLook {
  readonly keys = [
    { keys: ["+", "-"], does: "closer, further" },
    { keys: ["shift+left", "shift+right"], does: "move the map; ⇧ ↑ and ⇧ ↓ too" },
    { keys: ["home"], does: "back to the place" },
  ];
  private readonly earth = make("div", "nblabel-earth");
  private readonly tiles = make("div", "nblabel-earth-tiles");
  private readonly pins = make("div", "nblabel-earth-pins");
  private readonly credit = make("span", "nblabel-credit");
  private readonly where = make("output");
  private readonly paper: Paper;
  private readonly loaded = new Map<string, HTMLImageElement>();
  private places: readonly Place[] = [];
  private template = "";
  private seen: Seen | null = null;
  private shown: Shown | null = null;
  private drag: readonly [number, number] | null = null;

  constructor(el: HTMLElement, _host: LookHost) {
    styled(el, css);
    const box = make("div", "nblabel-earth-box");
    const bar = make("div", "nblabel-earth-bar");
    const key = (name: string) => () => void this.key(name);
    bar.append(
      button("−", "further (-)", key("-")),
      button("+", "closer (+)", key("+")),
      button("place", "back to the place (Home)", key("home")),
      this.where,
      make("span", "nblabel-soft", "- + zoom · ⇧ arrows move"),
    );
    box.append(this.earth, bar);
    el.append(box);
    this.paper = new Paper(this.earth, HEIGHT, (context, width, colors) =>
      this.paint(context, width, colors),
    );
    this.paper.canvas.setAttribute("role", "img");
    this.earth.append(this.tiles, this.pins, this.credit);
    this.earth.addEventListener("pointerdown", (event) => {
      this.drag = [event.clientX, event.clientY];
      this.earth.setPointerCapture(event.pointerId);
    });
    this.earth.addEventListener("pointermove", (event) => {
      if (!this.drag || !this.seen) return;
      const size = TILE * 2 ** this.seen.zoom;
      const [x, y] = this.drag;
      this.drag = [event.clientX, event.clientY];
      this.look(panned(this.seen, (x - event.clientX) / size, (y - event.clientY) / size));
    });
    for (const end of ["pointerup", "pointercancel"] as const)
      this.earth.addEventListener(end, () => (this.drag = null));
    this.earth.addEventListener(
      "wheel",
      (event) => {
        if (!event.ctrlKey && !event.metaKey) return;
        event.preventDefault();
        this.key(event.deltaY < 0 ? "+" : "-");
      },
      { passive: false },
    );
  }

  show(shown: Shown): void {
    if (shown.id === this.shown?.id && shown.view === this.shown.view) return;
    this.shown = shown;
    const { data } = shown.view;
    this.places = (data["points"] as readonly Place[] | undefined) ?? [];
    this.template = textOf(data["tiles"]);
    this.credit.textContent =
      textOf(data["credit"]) || (this.template ? "" : "coarse map · Natural Earth");
    const [first] = this.places;
    const name =
      this.places.length === 1 && first ? written(first) : `${count(this.places.length)} places`;
    this.where.textContent = name;
    this.paper.canvas.setAttribute("aria-label", `map: ${name}`);
    this.pins.replaceChildren(...this.places.map(() => make("i")));
    this.clear();
    this.seen = null;
    this.paper.draw();
  }

  press(press: Press): boolean {
    return this.key(pressName(press));
  }

  destroy(): void {
    this.clear();
    this.paper.destroy();
  }

  private key(key: string): boolean {
    if (key === "home") this.seen = null;
    else {
      if (!this.seen) return false;
      const { clientWidth } = this.paper.canvas;
      const most = this.template ? CLOSEST_TILES : CLOSEST;
      const next = moved(this.seen, key, clientWidth, HEIGHT, most);
      if (!next) return false;
      this.seen = next;
    }
    this.paper.draw();
    return true;
  }

  private look(seen: Seen): void {
    this.seen = seen;
    this.paper.draw();
  }

  private clear(): void {
    this.tiles.replaceChildren();
    this.loaded.clear();
  }

  private paint(context: CanvasRenderingContext2D, width: number, colors: Colors): void {
    if (!this.places.length) return;
    const usual = this.template ? USUAL_TILES : USUAL;
    this.seen ??= around(this.places, width, HEIGHT, usual, 0);
    // Tiles are as sharp as they were drawn only at whole zooms.
    if (this.template) this.seen = { ...this.seen, zoom: Math.floor(this.seen.zoom) };
    const { x, y, zoom } = this.seen;
    const size = TILE * 2 ** zoom;
    const left = width / 2 - x * size;
    const top = HEIGHT / 2 - y * size;
    drawWorld(context, colors, size, left, top, width);
    const inset = zoom > 2 && !this.template && width >= 420 ? INSET : 0;
    drawGrid(context, colors, this.seen, left, top, width, HEIGHT - inset);
    if (inset) this.overview(context, colors, width);
    for (const [k, pin] of [...this.pins.children].entries()) {
      const place = this.places[k];
      if (!place || !(pin instanceof HTMLElement)) continue;
      const [px, py] = project(place);
      const shift = Math.round(x - px); // the nearest copy of a place, around the Earth
      pin.style.left = `${left + (px + shift) * size}px`;
      pin.style.top = `${top + py * size}px`;
    }
    if (this.template) this.placeTiles(width, left, top);
  }

  /** The whole Earth in a corner, with what is seen of it. */
  private overview(context: CanvasRenderingContext2D, colors: Colors, width: number): void {
    if (!this.seen) return;
    const [w, from] = [INSET, 0.11];
    const h = w * (1 - 2 * from);
    context.save();
    context.translate(8, HEIGHT - h - 8);
    context.beginPath();
    context.rect(0, 0, w, h);
    context.clip();
    context.fillStyle = colors.bg;
    context.fillRect(0, 0, w, h);
    drawWorld(context, colors, w, 0, -from * w, w);
    const size = TILE * 2 ** this.seen.zoom;
    const [bw, bh] = [Math.max(6, (w * width) / size), Math.max(6, (w * HEIGHT) / size)];
    context.strokeStyle = colors.brand;
    context.lineWidth = 2;
    context.strokeRect(this.seen.x * w - bw / 2, (this.seen.y - from) * w - bh / 2, bw, bh);
    context.strokeStyle = colors.soft;
    context.lineWidth = 1;
    context.strokeRect(0.5, 0.5, w - 1, h - 1);
    context.restore();
  }

  private placeTiles(width: number, left: number, top: number): void {
    const zoom = this.seen?.zoom ?? 0;
    const n = 2 ** zoom;
    const wanted = new Set<string>();
    const range = (from: number, room: number) => [
      Math.floor(-from / TILE),
      Math.floor((room - from) / TILE),
    ];
    const [x0 = 0, x1 = 0] = range(left, width);
    const [y0 = 0, y1 = 0] = range(top, HEIGHT);
    for (let ty = Math.max(0, y0); ty <= Math.min(n - 1, y1); ty++) {
      for (let tx = x0; tx <= x1; tx++) {
        const key = `${zoom}/${tx}/${ty}`;
        wanted.add(key);
        let image = this.loaded.get(key);
        if (!image) {
          image = make("img");
          image.alt = "";
          image.draggable = false;
          // The server is to know the place, and nothing of the notebook.
          image.referrerPolicy = "no-referrer";
          image.addEventListener("error", (event) => (event.currentTarget as Element).remove());
          const at = { z: zoom, x: ((tx % n) + n) % n, y: ty };
          image.src = this.template.replace(/\{([xyz])\}/g, (_, name: "x" | "y" | "z") =>
            String(at[name]),
          );
          this.loaded.set(key, image);
          this.tiles.append(image);
        }
        image.style.transform = `translate(${left + tx * TILE}px, ${top + ty * TILE}px)`;
      }
    }
    for (const [key, image] of this.loaded) {
      if (wanted.has(key)) continue;
      image.remove();
      this.loaded.delete(key);
    }
  }
}

/** Land and borders, as often around the Earth as the picture is wide. */
function drawWorld(
  context: CanvasRenderingContext2D,
  colors: Colors,
  size: number,
  left: number,
  top: number,
  width: number,
): void {
  context.lineJoin = "round";
  // A coast that goes on beyond the edge belongs to the copy before.
  for (let copy = Math.floor(-left / size) - 1; (copy - 1) * size + left < width; copy++) {
    const trace = (line: Line) => {
      for (let k = 0; k < line.length; k += 2) {
        const x = left + ((line[k] ?? 0) + copy) * size;
        const y = top + (line[k + 1] ?? 0) * size;
        if (k) context.lineTo(x, y);
        else context.moveTo(x, y);
      }
    };
    context.beginPath();
    for (const coast of coasts) trace(coast);
    context.fillStyle = colors.line;
    context.fill("evenodd");
    context.beginPath();
    for (const line of lines) trace(line);
    context.strokeStyle = colors.bg;
    context.lineWidth = size > 1000 ? 1.2 : 0.4;
    context.stroke();
  }
}

/** Meridians and parallels, each with its degrees at the edge. */
function drawGrid(
  context: CanvasRenderingContext2D,
  colors: Colors,
  { zoom }: Seen,
  left: number,
  top: number,
  width: number,
  /** Down to here parallels have their degrees. */
  bottom: number,
): void {
  const size = TILE * 2 ** zoom;
  const step = gridStep(zoom);
  const text = (value: number, names: string) =>
    `${Number(Math.abs(value).toFixed(2))}°${value ? names[value < 0 ? 1 : 0] : ""}`;
  context.strokeStyle = colors.soft;
  context.fillStyle = colors.soft;
  context.globalAlpha = 0.28;
  context.lineWidth = 1;
  context.font = "10px system-ui, sans-serif";
  const marks: (readonly [string, number, number])[] = [];
  context.beginPath();
  const from = Math.ceil((((0 - left) / size) * 360 - 180) / step);
  const to = Math.floor((((width - left) / size) * 360 - 180) / step);
  for (let k = from; k <= to; k++) {
    const x = Math.round(left + ((k * step + 180) / 360) * size) + 0.5;
    context.moveTo(x, 0);
    context.lineTo(x, HEIGHT);
    const longitude = ((((k * step + 180) % 360) + 360) % 360) - 180;
    marks.push([text(longitude, "EW"), x + 3, 11]);
  }
  for (let latitude = -Math.floor(85 / step) * step; latitude <= 85; latitude += step) {
    const y = Math.round(top + (project([latitude, 0])[1] ?? 0) * size) + 0.5;
    if (y < 16 || y > HEIGHT) continue;
    context.moveTo(0, y);
    context.lineTo(width, y);
    if (y < bottom) marks.push([text(latitude, "NS"), 4, y - 3]);
  }
  context.stroke();
  context.globalAlpha = 1;
  for (const [mark, x, y] of marks) context.fillText(mark, x, y);
}

const look: Look = { mount: (el, host) => new Earth(el, host) };

export default look;
