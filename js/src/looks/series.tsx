// A time series: lines over a common axis, with as much of it as one wants to see.

import { count } from "../format";
import { pressName, type Press } from "../keymap";
import type { Look, MountedLook, Shown } from "../modules";
import { Paper, button, bytesOf, make, styled, textOf, type Colors } from "./paper";
import { WHOLE, extremes, moved, shifted, tickText, ticks, zoomed, type Span } from "./plotting";
import css from "./series.css";

const HEIGHT = 260;
const BELOW = 22;
const ABOVE = 8;
const CHAR = 6.6;

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
    this.span = WHOLE;
    this.dragged = null;
    const points = `${count(Number(data["points"]))} points`;
    this.said.textContent = data["thinned"] === true ? `${points}, shown by extremes` : points;
    this.paper.canvas.setAttribute(
      "aria-label",
      `series of item ${shown.name}: ${this.lines.length} lines, ${points}`,
    );
    this.legend.replaceChildren(
      ...(this.lines.length > 1 ? this.names : []).map((name, k) => {
        const entry = make("span");
        const swatch = make("i");
        swatch.style.background = `var(--nbl-c${k})`;
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

  private paint(context: CanvasRenderingContext2D, width: number, colors: Colors): void {
    const last = Math.max(1, this.size - 1);
    const [first, end] = [this.span.from * last, this.span.to * last];
    const [from, to] = [Math.floor(first), Math.ceil(end) + 1];
    const found = this.lines.flatMap((line) => extremes(line, from, to) ?? []);
    if (!found.length) {
      context.fillStyle = colors.soft;
      context.font = "13px system-ui, sans-serif";
      context.fillText("no numbers here", 12, HEIGHT / 2);
      return;
    }
    let [low, high] = [Math.min(...found), Math.max(...found)];
    if (low === high) [low, high] = [low - 1, high + 1];
    const bottom = HEIGHT - BELOW;
    const rows = ticks(low, high, 5);
    const texts = rows.map((value) => tickText(value, rows));
    this.left = Math.max(...texts.map((text) => text.length), 2) * CHAR + 10;
    const y = (value: number) => bottom - 4 - ((value - low) / (high - low)) * (bottom - ABOVE - 4);
    const x = (place: number) =>
      this.left + ((place - first) / (end - first)) * (width - this.left - 2);

    context.font = "11px system-ui, sans-serif";
    context.fillStyle = colors.soft;
    context.strokeStyle = colors.line;
    context.lineWidth = 1;
    context.textAlign = "right";
    context.textBaseline = "middle";
    context.beginPath();
    rows.forEach((value, k) => {
      const at = Math.round(y(value)) + 0.5;
      context.moveTo(this.left, at);
      context.lineTo(width, at);
      context.fillText(texts[k] ?? "", this.left - 5, at);
    });
    context.stroke();
    const columns = ticks(first * this.step, end * this.step, width / 110);
    context.textAlign = "center";
    for (const value of columns) {
      const text = `${tickText(value, columns)}${this.unit && ` ${this.unit}`}`;
      const half = (text.length * CHAR) / 2;
      const at = x(value / this.step);
      context.fillText(text, Math.min(width - half, Math.max(this.left + half, at)), HEIGHT - 9);
    }
    this.lines.forEach((line, k) => {
      context.strokeStyle = colors.classes[k] ?? colors.ink;
      context.lineWidth = 1.4;
      context.lineJoin = "round";
      context.save();
      context.beginPath();
      context.rect(this.left, 0, width - this.left, bottom + 2);
      context.clip();
      context.beginPath();
      trace(context, line, from, to, (width - this.left) * 2, x, y);
      context.stroke();
      context.restore();
    });
  }
}

/** Every point while there are few; of many the lowest and highest of each column of pixels. */
function trace(
  context: CanvasRenderingContext2D,
  line: Float64Array,
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
