// A time series: lines over a common axis, with as much of it as one wants to see.

import { count } from "../format";
import { pressName, type Press } from "../keymap";
import type { Look, MountedLook, Shown } from "../modules";
import { COLORS, Paper, button, bytesOf, make, styled, textOf, type Colors } from "./paper";
import {
  WHOLE,
  below,
  endText,
  extremes,
  moved,
  shifted,
  tickText,
  ticks,
  together,
  zoomed,
  type Band,
  type Span,
} from "./plotting";
import css from "./series.css";

const HEIGHT = 260;
/** Lines below each other: what each is given, and what they are given at most. */
const ROW = 16;
const MOST_HEIGHT = 340;
const BELOW = 22;
const ABOVE = 8;
const CHAR = 6.6;
/** A name or a number needs so much, and a name beside lines has so much. */
const LETTERS = 13;
const NAME = 90;

class Plot implements MountedLook {
  readonly keys = [
    { keys: ["+", "-"], does: "see less or more of the series" },
    { keys: ["shift+left", "shift+right"], does: "move along the series" },
    { keys: ["home"], does: "the whole series" },
  ];
  private readonly paper: Paper;
  private readonly head = make("div", "nblabel-plot-head");
  private readonly legend = make("span", "nblabel-plot-legend");
  private readonly said = make("span");
  private lines: Float64Array[] = [];
  private names: readonly string[] = [];
  private step = 1;
  private unit = "";
  private subplots = false;
  private sameScale = false;
  private span: Span = WHOLE;
  private view: unknown = null;
  private left = 0;
  private dragged: { x: number; span: Span } | null = null;

  constructor(el: HTMLElement) {
    styled(el, css);
    const box = make("div", "nblabel-plot");
    const turns = make("span", "nblabel-plot-turns");
    turns.append(
      make("span", "nblabel-soft", "+ - zoom · ⇧← ⇧→ move"),
      button("−", "see more of the series (-)", () => this.key("-")),
      button("+", "see less of the series (+)", () => this.key("+")),
      button("all", "the whole series (Home)", () => this.key("home")),
    );
    this.head.append(this.legend, this.said, turns);
    box.append(this.head);
    el.append(box);
    this.paper = new Paper(box, HEIGHT, (context, width, colors) =>
      this.paint(context, width, colors),
    );
    const { canvas } = this.paper;
    canvas.setAttribute("role", "img");
    // A plain wheel scrolls the page, as everywhere.
    canvas.addEventListener("wheel", (event) => {
      if (!event.ctrlKey && !event.shiftKey) return;
      event.preventDefault();
      this.set(zoomed(this.span, event.deltaY > 0 ? 1.25 : 0.8, this.shareAt(event), this.least));
    });
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      this.dragged = { x: event.clientX, span: this.span };
    });
    canvas.addEventListener("pointermove", (event) => {
      canvas.title = this.nameAt(event);
      if (!this.dragged) return;
      const { x, span } = this.dragged;
      const width = canvas.clientWidth - this.left;
      this.set(shifted(span, ((x - event.clientX) / width) * (span.to - span.from)));
    });
    for (const name of ["pointerup", "pointercancel"]) {
      canvas.addEventListener(name, () => (this.dragged = null));
    }
  }

  show(shown: Shown): void {
    if (shown.view === this.view) return; // only the suggestion is another one
    this.view = shown.view;
    const { data } = shown.view;
    this.lines = shown.buffers.map((buffer) => new Float64Array(bytesOf(buffer).buffer));
    this.names = Array.isArray(data["names"]) ? data["names"].map(textOf) : [];
    this.step = typeof data["step"] === "number" ? data["step"] : 1;
    this.unit = textOf(data["unit"]);
    this.subplots = data["subplots"] === true;
    this.sameScale = data["same_scale"] === true;
    this.span = WHOLE;
    this.dragged = null;
    const points = `${count(Number(data["points"]))} points`;
    const scale = this.sameScale ? "all lines on one scale" : "each line on its own scale";
    this.said.textContent = [
      points,
      ...(data["thinned"] === true ? ["shown by extremes"] : []),
      ...(this.subplots ? [scale] : []),
    ].join(", ");
    this.paper.canvas.setAttribute(
      "aria-label",
      `series of item ${shown.name}: ${this.lines.length} lines, ${this.said.textContent}`,
    );
    this.paper.tall(
      this.subplots
        ? Math.min(MOST_HEIGHT, Math.max(HEIGHT, this.lines.length * ROW + ABOVE + BELOW))
        : HEIGHT,
    );
    // Beside lines below each other there is not always room for every name.
    this.legend.classList.toggle("nblabel-heard", this.subplots);
    this.legend.replaceChildren(
      ...(this.lines.length > 1 ? this.names : []).map((name, k) => {
        const entry = make("span");
        const swatch = make("i");
        swatch.style.background = k < COLORS ? `var(--nbl-c${k})` : "var(--nbl-ink)";
        entry.append(swatch, name);
        return entry;
      }),
    );
    this.paper.draw();
  }

  press(press: Press): boolean {
    return this.key(pressName(press));
  }

  destroy(): void {
    this.paper.destroy();
  }

  private get size(): number {
    return this.lines[0]?.length ?? 0;
  }

  /** Eight points are the least that is seen. */
  private get least(): number {
    return 8 / Math.max(8, this.size);
  }

  private key(key: string): boolean {
    const next = moved(this.span, key, this.least);
    if (next) this.set(next);
    return next !== null;
  }

  private set(span: Span): void {
    this.span = span;
    this.paper.draw();
  }

  private shareAt(event: MouseEvent): number {
    const { left, width } = this.paper.canvas.getBoundingClientRect();
    const share = Math.max(0, event.clientX - left - this.left) / Math.max(1, width - this.left);
    return this.span.from + share * (this.span.to - this.span.from);
  }

  /** The name of the line under the pointer, where each has a place of its own. */
  private nameAt(event: MouseEvent): string {
    const { top, height } = this.paper.canvas.getBoundingClientRect();
    const share = (event.clientY - top - ABOVE) / (height - ABOVE - BELOW);
    return (this.subplots && this.names[Math.floor(share * this.names.length)]) || "";
  }

  private paint(context: CanvasRenderingContext2D, width: number, colors: Colors): void {
    const last = Math.max(1, this.size - 1);
    const [first, end] = [this.span.from * last, this.span.to * last];
    const [from, to] = [Math.floor(first), Math.ceil(end) + 1];
    const height = this.paper.canvas.clientHeight;
    const ranges = this.lines.map((line) => extremes(line, from, to));
    if (!ranges.some((range) => range)) {
      context.fillStyle = colors.soft;
      context.font = "13px system-ui, sans-serif";
      context.fillText("no numbers here", 12, height / 2);
      return;
    }
    const bottom = height - BELOW;
    context.font = "11px system-ui, sans-serif";
    context.fillStyle = colors.soft;
    context.strokeStyle = colors.line;
    context.lineWidth = 1;
    context.textAlign = "right";
    context.textBaseline = "middle";
    const bands = this.subplots
      ? below(ranges, ABOVE, bottom, this.sameScale)
      : together(ranges, ABOVE, bottom);
    if (this.subplots) this.beside(context, width, bands, colors);
    else if (bands[0]) this.scale(context, width, bands[0]);
    const x = (place: number) =>
      this.left + ((place - first) / (end - first)) * (width - this.left - 2);
    const columns = ticks(first * this.step, end * this.step, width / 110);
    context.fillStyle = colors.soft;
    context.textAlign = "center";
    for (const value of columns) {
      const text = `${tickText(value, columns)}${this.unit && ` ${this.unit}`}`;
      const half = (text.length * CHAR) / 2;
      const at = x(value / this.step);
      context.fillText(text, Math.min(width - half, Math.max(this.left + half, at)), height - 9);
    }
    context.lineWidth = this.subplots ? 1.1 : 1.4;
    context.lineJoin = "round";
    bands.forEach((band, k) => {
      context.strokeStyle = colors.classes[this.subplots ? 0 : k] ?? colors.ink;
      context.save();
      context.beginPath();
      context.rect(this.left, 0, width - this.left, bottom + 2);
      context.clip();
      context.beginPath();
      const most = (width - this.left) * 2;
      trace(context, this.lines[k] ?? [], from, to, most, x, (value) => heightOf(value, band));
      context.stroke();
      context.restore();
    });
  }

  /** Round values of what all lines share, with a rule each. */
  private scale(context: CanvasRenderingContext2D, width: number, band: Band): void {
    const rows = ticks(band.low, band.high, 5);
    const texts = rows.map((value) => tickText(value, rows));
    this.left = Math.max(...texts.map((text) => text.length), 2) * CHAR + 10;
    context.beginPath();
    rows.forEach((value, k) => {
      const at = Math.round(heightOf(value, band)) + 0.5;
      context.moveTo(this.left, at);
      context.lineTo(width, at);
      context.fillText(texts[k] ?? "", this.left - 5, at);
    });
    context.stroke();
  }

  /** The name of each line beside it and its ends, as far as there is room, with rules between. */
  private beside(
    context: CanvasRenderingContext2D,
    width: number,
    bands: readonly Band[],
    colors: Colors,
  ): void {
    const texts = this.names.map((name) => clipped(context, name, NAME));
    const ends = bands.map(({ low, high }) => [low, high].map((end) => endText(end, low, high)));
    const each = (bands[0]?.bottom ?? 0) - (bands[0]?.top ?? 0);
    const room = each >= 3.5 * LETTERS;
    const widths = [...texts, ...(room ? ends.flat() : [])];
    this.left = Math.max(...widths.map((text) => context.measureText(text).width), 10) + 10;
    const every = Math.ceil(LETTERS / each);
    context.beginPath();
    bands.forEach((band, k) => {
      const at = Math.round(band.top) + 0.5;
      if (k > 0 && k % every === 0) {
        context.moveTo(this.left, at);
        context.lineTo(width, at);
      }
      context.fillStyle = colors.ink;
      if (k % every === 0) {
        context.fillText(texts[k] ?? "", this.left - 5, (band.top + band.bottom) / 2);
      }
      context.fillStyle = colors.soft;
      if (room) {
        context.fillText(ends[k]?.[1] ?? "", this.left - 5, band.top + LETTERS / 2 + 1);
        context.fillText(ends[k]?.[0] ?? "", this.left - 5, band.bottom - LETTERS / 2 - 1);
      }
    });
    context.stroke();
  }
}

/** The height at which a value is drawn; some room is left at both ends. */
function heightOf(value: number, { top, bottom, low, high }: Band): number {
  const room = Math.min(4, (bottom - top) / 8);
  return bottom - room - ((value - low) / (high - low)) * (bottom - top - 2 * room);
}

/** As much of a text as there is room for. */
function clipped(context: CanvasRenderingContext2D, text: string, most: number): string {
  if (context.measureText(text).width <= most) return text;
  const characters = [...text];
  while (characters.length > 1 && context.measureText(`${characters.join("")}…`).width > most) {
    characters.pop();
  }
  return `${characters.join("")}…`;
}

/** Every point while there are few; of many the lowest and highest of each column of pixels. */
function trace(
  context: CanvasRenderingContext2D,
  line: ArrayLike<number>,
  from: number,
  to: number,
  most: number,
  x: (place: number) => number,
  y: (value: number) => number,
): void {
  const per = Math.max(1, Math.floor((to - from) / most));
  let gap = true;
  for (let k = from; k < Math.min(line.length, to); k += per) {
    const found = extremes(line, k, Math.min(to, k + per));
    if (!found) {
      gap = true;
      continue;
    }
    for (const value of per > 1 ? found : found.slice(0, 1)) {
      if (gap) {
        context.moveTo(x(k), y(value));
        context.lineTo(x(k) + 0.01, y(value)); // a point alone between gaps is seen too
      } else context.lineTo(x(k), y(value));
      gap = false;
    }
  }
}

const look: Look = { mount: (el) => new Plot(el) };

export default look;
