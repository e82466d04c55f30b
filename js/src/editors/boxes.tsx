// Shapes on an image: drawn by pointer, or made, moved and sized by keys. The image can be enlarged,
// brightened and given more contrast; none of that reaches the label.

import { render } from "preact";
import type { EditorHost, KeyHelp, Made, Mounted, Shown } from "../modules";
import { keyCap, pressName, type Press } from "../keymap";
import { addressOf } from "../media";
import { Below, Submit, classOf, drawing } from "./base";
import { Shapes, contains, type Spot } from "./boxes/shapes";
import { Tools, hintOf } from "./boxes/tools";
import * as d from "./drawing";
import {
  PLAIN,
  STEPS,
  ZOOM_STEP,
  clamp,
  described,
  filterOf,
  inView,
  panKey,
  panned,
  placed,
  revealed,
  sightKey,
  zoomed,
  type Rect,
  type Sight,
  type Size,
} from "../viewing";
import css from "./boxes.css";

/** The frame of the image, in pixels: as much as a card may be tall, or less where it is narrow. */
const FRAME = { least: 220, most: 408, ratio: 0.85 } as const;
/** A pixel of the image that is so large on the screen is drawn crisp. */
const CRISP = 3;
/** Less is a click, not a drag. */
const STILL = 4;
/** So near its first corner, a polygon is closed by a click. */
const NEAR = 12;

/** What a pointer that is down is doing. */
type Gesture =
  | { readonly type: "press"; readonly start: Spot; readonly over: boolean }
  | { readonly type: "pan"; readonly last: Spot }
  | { readonly type: "draw"; readonly start: Spot; readonly origin: d.Draft }
  | { readonly type: "move"; readonly start: Spot; readonly origin: d.Draft }
  | { readonly type: "handle"; readonly handle: number; readonly origin: d.Draft };

/** A single page of a document is one, too. */
const isImage = ({ view, buffers }: Shown): boolean =>
  (view.kind === "image" || (view.kind === "pdf" && view.data["pages"] === 1)) &&
  buffers[0] !== undefined;

class BoxEditor implements Mounted {
  private draft: d.Draft | null = null;
  private shown: Shown | null = null;
  private wrong = "";
  private sight: Sight = PLAIN;
  private frame: Size = { width: FRAME.most, height: FRAME.most };
  private size: Size = { width: 1, height: 1 };
  private broken = false;
  private url = "";
  private gesture: Gesture | null = null;
  /** Pointers that are down, and where. */
  private readonly down = new Map<number, Spot>();
  /** Where the pointer is, for the line to the next corner. */
  private hover: Spot | null = null;
  /** Space is down over the image: a drag moves the image, letting go sends. */
  private space: "down" | "used" | null = null;
  private readonly below: Below;
  private readonly canvas = document.createElement("div");
  private readonly image = new Image();
  private readonly over = document.createElement("div");
  private readonly abort = new AbortController();
  private readonly observer = new ResizeObserver(() => this.fit());

  constructor(
    stage: HTMLElement,
    controls: HTMLElement,
    private readonly host: EditorHost,
  ) {
    this.below = new Below(controls, css);
    this.canvas.className = "nblabel-canvas nblabel-unthemed";
    this.image.draggable = false;
    this.over.className = "nblabel-over";
    this.canvas.append(this.image, this.over);
    stage.replaceChildren(this.canvas);
    const { signal } = this.abort;
    const on = <K extends keyof HTMLElementEventMap>(
      name: K,
      does: (event: HTMLElementEventMap[K]) => void,
    ) => this.canvas.addEventListener(name, does, { signal, passive: false });
    on("pointerdown", (event) => this.onDown(event));
    on("pointermove", (event) => this.onMove(event));
    on("pointerup", (event) => this.onUp(event));
    on("pointercancel", (event) => this.onCancel(event));
    on("pointerleave", () => {
      this.hover = null;
      if (this.draft?.open.length) this.draw();
    });
    on("wheel", (event) => this.onWheel(event));
    // The middle button would scroll the page.
    on("mousedown", (event) => event.button === 1 && event.preventDefault());
    this.image.addEventListener("load", () => this.onLoad(), { signal });
    this.image.addEventListener("error", () => this.onError(), { signal });
    // A page that is left while space is down never hears that it was let go.
    window.addEventListener("blur", () => (this.space = null), { signal });
    this.observer.observe(stage);
    this.fit();
  }

  get keys(): readonly KeyHelp[] {
    const many = d.kindsOf(this.host.task).length > 1;
    const key = (name: string) => this.keyOf(name);
    return [
      { keys: [key("a")], does: "a new shape in the middle of the view" },
      ...(many ? [{ keys: [key("t")], does: "box, polygon or point" }] : []),
      { keys: ["1"], does: "a label's key names the shape, and the next" },
      { keys: ["tab", "shift+tab"], does: "from shape to shape" },
      { keys: ["left", "right"], does: "move it by a pixel, with ⇧ by ten; ↑ ↓ too" },
      { keys: ["alt+left", "alt+right"], does: "size it, with ⇧ by ten; Alt ↑ ↓ too" },
      { keys: [key("c")], does: "only one corner of it, then the next" },
      ...(d.kindsOf(this.host.task).includes("polygon")
        ? [{ keys: [key("x")], does: "one more corner of a polygon" }]
        : []),
      { keys: ["backspace"], does: "remove it" },
      { keys: ["z"], does: "undo in this image, then the last one" },
      { keys: ["+", "-", "0"], does: "closer, further, all of it; arrows move the view" },
      { keys: [key("b"), key("d")], does: "brighter, darker" },
      { keys: [key("k"), key("l")], does: "more or less contrast" },
      { keys: [key("o")], does: "the image as it is" },
      { keys: ["enter", "space"], does: "send the shapes; enter closes a polygon" },
    ];
  }

  /** A letter that a label has means its command with shift, as everywhere. */
  private keyOf(name: string): string {
    const taken = Object.values(this.host.task.keys).includes(name);
    return taken && /^[a-z]$/.test(name) ? `shift+${name}` : name;
  }

  // ---------------------------------------------------------------- the item

  show(shown: Shown | null): void {
    const before = this.shown;
    this.shown = shown;
    if (!shown || !isImage(shown)) {
      this.draft = null;
      this.forget();
      this.draw();
      return;
    }
    const same = before?.id === shown.id && before.view === shown.view;
    // A suggestion that changes under the hand does not take away what was drawn.
    if (same && before.label === shown.label && this.draft?.before) return;
    this.draft = {
      ...d.begin(this.host.task, shown.label ?? shown.suggestion?.label ?? null, !shown.label),
      ...(this.draft && { kind: this.draft.kind, label: this.draft.label }),
    };
    this.wrong = "";
    this.gesture = null;
    if (!same) this.load(shown);
    this.draw();
  }

  private load(shown: Shown): void {
    const { data } = shown.view;
    const buffer = shown.buffers[0];
    if (!buffer) return;
    this.forget();
    this.broken = false;
    this.sight = { ...this.sight, zoom: 1, x: 0.5, y: 0.5 };
    const [width, height] = [Number(data["width"]), Number(data["height"])];
    this.size = width > 0 && height > 0 ? { width, height } : { width: 1, height: 1 };
    this.image.classList.toggle("nblabel-clear", data["clear"] === true);
    const bytes = new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength).slice();
    this.url = addressOf(data["mime"], bytes);
    this.image.src = this.url;
    const name = typeof data["name"] === "string" ? data["name"] : "";
    this.image.alt = name ? `image ${name}` : `image of item ${shown.name}`;
  }

  private forget(): void {
    if (this.url.startsWith("blob:")) URL.revokeObjectURL(this.url);
    this.url = "";
    this.image.removeAttribute("src");
  }

  private onLoad(): void {
    const { naturalWidth: width, naturalHeight: height } = this.image;
    // Of a drawing (SVG) the kernel does not know the size.
    if (this.size.width === 1 && this.size.height === 1 && width && height)
      this.size = { width, height };
    this.draw();
  }

  private onError(): void {
    if (!this.url) return;
    this.broken = true;
    this.draw();
  }

  destroy(): void {
    this.abort.abort();
    this.observer.disconnect();
    this.forget();
    render(null, this.over);
    this.canvas.remove();
    this.below.remove();
  }

  // ---------------------------------------------------------------- keys

  press(press: Press, target: EventTarget | null): boolean {
    const { draft } = this;
    if (!draft) return false;
    const element = target instanceof Element ? target : null;
    if (element?.closest("input, textarea, select")) return false;
    const key = pressName(press);
    const { task } = this.host;
    const onButton = element?.closest("button, a, summary") !== null && element !== null;
    if (onButton && (key === "enter" || key === "space" || key.endsWith("tab"))) return false;
    const name = classOf(task, key);
    if (name !== undefined) {
      this.name(name);
      return true;
    }
    const [step, size] = this.step(key);
    if (step) return size ? this.resize(step) : this.nudge(step, key);
    const again = press.repeat === true;
    switch (key) {
      case "enter":
        if (again) return true;
        if (draft.open.length) this.close();
        else this.submit();
        return true;
      case "space":
        if (!again) this.onSpace();
        return true;
      case "tab":
      case "shift+tab":
        return this.next(key === "tab" ? 1 : -1);
      case "backspace":
      case "delete":
        // A key held down must not go on and take back whole items.
        return this.remove() || key === "delete" || again;
      case "escape":
        return this.leave();
      case "z":
      case "ctrl+z": {
        const back = d.undone(draft);
        if (!back) return again;
        this.set(back, "Taken back.");
        return true;
      }
      case this.keyOf("a"):
        if (!again) this.insert();
        return true;
      case this.keyOf("t"):
        return this.turn();
      case this.keyOf("c"):
        return this.corner();
      case this.keyOf("x"):
        if (d.activeOf(draft)?.kind !== "polygon") return false;
        this.set(d.split(draft), "One more corner.");
        return true;
    }
    // Looks: by their own letter, or with shift where a label has it.
    const plain = key.startsWith("shift+") && this.keyOf(key.slice(6)) === key ? key.slice(6) : key;
    if (this.keyOf(plain) !== key && key !== "=") return false;
    const next = sightKey(this.frame, this.size, this.sight, plain);
    if (!next) return false;
    this.look(next);
    if (plain !== "0") this.reveal(draft);
    this.draw();
    return true;
  }

  /** How far an arrow goes, in pixels of the image, and whether it sizes. */
  private step(key: string): readonly [readonly [number, number] | null, boolean] {
    const parts = key.split("+");
    const arrow = STEPS[parts.at(-1) ?? ""];
    const others = parts.slice(0, -1);
    if (!arrow || others.some((part) => part !== "shift" && part !== "alt")) return [null, false];
    const by = others.includes("shift") ? 10 : 1;
    return [[arrow[0] * by, arrow[1] * by], others.includes("alt")];
  }

  private get pixel(): Size {
    return { width: 1 / this.size.width, height: 1 / this.size.height };
  }

  private nudge(step: readonly [number, number], key: string): boolean {
    const { draft, pixel } = this;
    if (!draft) return false;
    if (draft.active === null) {
      const next = panKey(this.frame, this.size, this.sight, key);
      if (next) this.look(next);
      return next !== null;
    }
    this.change(d.moved(draft, step[0] * pixel.width, step[1] * pixel.height, pixel));
    return true;
  }

  private resize(step: readonly [number, number]): boolean {
    const { draft, pixel } = this;
    if (!draft || draft.active === null) return false;
    this.change(d.resized(draft, step[0] * pixel.width, step[1] * pixel.height, pixel));
    return true;
  }

  /** The active shape in another place: it stays in view, and is read out. */
  private change(draft: d.Draft): void {
    const shape = d.activeOf(draft);
    if (!shape) return;
    this.reveal(draft);
    this.set(draft, d.inWords(shape));
  }

  /** Bring what the keys are about into view: a corner, or the middle of a shape. */
  private reveal(draft: d.Draft): void {
    const shape = d.activeOf(draft);
    if (!shape) return;
    const { left, top, width, height } = d.bounds(shape);
    const corner = draft.corner === null ? undefined : shape.points[draft.corner];
    const point = corner ?? ([left + width / 2, top + height / 2] as const);
    this.sight = revealed(this.frame, this.size, this.sight, point);
  }

  private name(label: string): void {
    if (!this.draft) return;
    const next = d.labelled(this.draft, label);
    this.set(next, next.active === null ? `Next: ${label}.` : `Now ${label}.`);
  }

  private next(by: 1 | -1): boolean {
    const { draft } = this;
    if (!draft?.shapes.length) return false;
    const active = d.nextShape(draft, by);
    if (active === null) {
      // Behind the last one the focus goes on, so that nobody is caught here.
      this.set(d.chosen(draft, null));
      return false;
    }
    this.choose(active);
    return true;
  }

  private choose(active: number): void {
    if (!this.draft) return;
    const draft = d.chosen(this.draft, active);
    const shape = d.activeOf(draft);
    if (!shape) return;
    this.reveal(draft);
    this.set(draft, `${active + 1} of ${draft.shapes.length}: ${d.inWords(shape)}`);
  }

  private remove(): boolean {
    const { draft } = this;
    if (!draft) return false;
    if (draft.open.length) {
      this.set(d.shortened(draft), "Last corner removed.");
      return true;
    }
    const shape = d.activeOf(draft);
    if (!shape) return false;
    const next = d.removed(draft);
    const whole = next.shapes.length < draft.shapes.length;
    this.set(next, whole ? `${shape.label} removed.` : "Corner removed.");
    return true;
  }

  private leave(): boolean {
    const { draft } = this;
    if (!draft) return false;
    if (draft.open.length) this.set(d.abandoned(draft), "Polygon given up.");
    else if (draft.corner !== null) this.set(d.chosen(draft, draft.active), "The whole shape.");
    else if (draft.active !== null) this.set(d.chosen(draft, null), "Nothing is selected.");
    else return false;
    return true;
  }

  private insert(): void {
    const { draft } = this;
    if (!draft) return;
    const next = d.inserted(draft, inView(this.frame, this.size, this.sight), this.size);
    this.born(next);
  }

  private born(next: d.Draft): void {
    const shape = d.activeOf(next);
    if (shape && next.shapes.length > (this.draft?.shapes.length ?? 0))
      this.set(next, `New: ${d.inWords(shape)}`);
    else this.fail(`There are at most ${d.MOST_SHAPES} shapes.`);
  }

  private turn(kind?: d.Kind): boolean {
    const { draft } = this;
    const kinds = d.kindsOf(this.host.task);
    if (!draft || kinds.length < 2) return false;
    const next = kind ?? kinds[(kinds.indexOf(draft.kind) + 1) % kinds.length] ?? draft.kind;
    this.set({ ...d.chosen(draft, null), kind: next, open: [] }, `Next: a ${next}.`);
    return true;
  }

  private corner(): boolean {
    const { draft } = this;
    if (!draft || draft.active === null) return false;
    const next = d.nextCorner(draft);
    this.reveal(next);
    this.set(next, next.corner === null ? "The whole shape." : `Corner ${next.corner + 1}.`);
    return true;
  }

  private close(): void {
    const next = this.draft && d.closed(this.draft);
    if (next) this.born(next);
    else this.fail("A polygon has at least three corners.");
  }

  /** Over the image space may be the beginning of a drag: what it means is known when it is up. */
  private onSpace(): void {
    if (!this.hover) {
      this.submit();
      return;
    }
    this.space = "down";
    const root = this.canvas.closest<HTMLElement>(".nblabel") ?? this.canvas;
    const up = (event: KeyboardEvent) => {
      if (event.key !== " ") return;
      root.removeEventListener("keyup", up, true);
      const sends = this.space === "down";
      this.space = null;
      if (sends) this.submit();
    };
    root.addEventListener("keyup", up, { capture: true, signal: this.abort.signal });
  }

  // ---------------------------------------------------------------- pointers

  private spot(event: MouseEvent): Spot {
    const { left, top } = this.canvas.getBoundingClientRect();
    return [event.clientX - left, event.clientY - top];
  }

  private get rect(): Rect {
    return placed(this.frame, this.size, this.sight);
  }

  /** A place of the image, in fractions. */
  private at([x, y]: Spot): d.Point {
    const { left, top, width, height } = this.rect;
    return [clamp((x - left) / width, 0, 1), clamp((y - top) / height, 0, 1)];
  }

  private onDown(event: PointerEvent): void {
    const { draft } = this;
    if (!draft || event.button > 1 || this.broken) return;
    const spot = this.spot(event);
    this.down.set(event.pointerId, spot);
    this.canvas.setPointerCapture(event.pointerId);
    if (this.down.size === 2) {
      // A second finger: the view is pinched, nothing is drawn.
      if (this.gesture && "origin" in this.gesture) this.set(this.gesture.origin);
      this.gesture = null;
      return;
    }
    if (event.button === 1 || this.space) {
      if (this.space) this.space = "used";
      this.gesture = { type: "pan", last: spot };
      return;
    }
    const handle = (event.target as Element).getAttribute("data-handle");
    this.gesture =
      handle !== null && !draft.open.length
        ? {
            type: "handle",
            handle: Number(handle),
            origin: d.chosen(draft, draft.active, draft.corner),
          }
        : { type: "press", start: spot, over: event.shiftKey };
  }

  private onMove(event: PointerEvent): void {
    const { draft, gesture } = this;
    const spot = this.spot(event);
    this.hover = event.pointerType === "touch" ? null : spot;
    if (!draft) return;
    if (this.down.size === 2) {
      this.pinch(event.pointerId, spot);
      return;
    }
    if (this.down.has(event.pointerId)) this.down.set(event.pointerId, spot);
    if (!gesture) {
      if (draft.open.length) this.draw();
      return;
    }
    switch (gesture.type) {
      case "press":
        if (Math.hypot(spot[0] - gesture.start[0], spot[1] - gesture.start[1]) < STILL) return;
        this.gesture = this.begun(gesture.start, gesture.over);
        this.onMove(event);
        return;
      case "pan": {
        const [dx, dy] = [spot[0] - gesture.last[0], spot[1] - gesture.last[1]];
        this.gesture = { type: "pan", last: spot };
        this.look(panned(this.frame, this.size, this.sight, dx, dy));
        return;
      }
      case "draw": {
        const points = d.between(this.at(gesture.start), this.at(spot));
        this.set(d.added({ ...gesture.origin, kind: "box" }, "box", points));
        return;
      }
      case "move": {
        const { width, height } = this.rect;
        const by = [(spot[0] - gesture.start[0]) / width, (spot[1] - gesture.start[1]) / height];
        this.set(d.moved(gesture.origin, by[0] ?? 0, by[1] ?? 0, this.pixel));
        return;
      }
      case "handle":
        this.set(d.dragged(gesture.origin, gesture.handle, this.at(spot), this.pixel));
        return;
    }
  }

  /** What a drag from here does: it moves the shape that is selected, or draws another. */
  private begun(start: Spot, over: boolean): Gesture | null {
    const { draft } = this;
    if (!draft) return null;
    const hit = draft.active !== null && this.hits(start).includes(draft.active);
    if (hit && !over && !draft.open.length)
      return { type: "move", start, origin: d.chosen(draft, draft.active) };
    if (draft.kind === "box") return { type: "draw", start, origin: draft };
    // A hand that shakes at a click still sets its corner or point.
    return { type: "press", start, over };
  }

  private onUp(event: PointerEvent): void {
    const { gesture, draft } = this;
    const pinched = this.down.size > 1;
    this.down.delete(event.pointerId);
    if (pinched || !draft || !gesture) return;
    this.gesture = null;
    if (gesture.type === "press") this.click(gesture.start, gesture.over);
    else if (gesture.type === "handle") {
      const shape = d.activeOf(draft);
      if (draft.shapes === gesture.origin.shapes && shape?.kind === "polygon")
        this.set(d.chosen(draft, draft.active, gesture.handle), `Corner ${gesture.handle + 1}.`);
    } else if (gesture.type === "draw") this.drawn(gesture.origin);
    const shape = this.draft && d.activeOf(this.draft);
    if (gesture.type !== "pan" && gesture.type !== "press" && shape)
      this.host.say(d.inWords(shape));
    this.host.home();
  }

  /** A box without a height is none. */
  private drawn(origin: d.Draft): void {
    const shape = this.draft && d.activeOf(this.draft);
    if (!shape) return;
    const { width, height } = d.bounds(shape);
    const { width: x, height: y } = this.rect;
    if (width * x < STILL || height * y < STILL) this.set(origin);
    else if (this.draft?.shapes.length === origin.shapes.length)
      this.fail(`There are at most ${d.MOST_SHAPES} shapes.`);
  }

  private onCancel(event: PointerEvent): void {
    this.down.delete(event.pointerId);
    if (this.gesture && "origin" in this.gesture) this.set(this.gesture.origin);
    this.gesture = null;
  }

  private click(spot: Spot, over: boolean): void {
    const { draft } = this;
    if (!draft) return;
    const at = this.at(spot);
    const [first] = draft.open;
    if (first) {
      const [x, y] = this.onScreen(first);
      const near = Math.hypot(spot[0] - x, spot[1] - y) < NEAR;
      if (near && draft.open.length >= 3) this.close();
      else if (!near) this.set(d.opened(draft, at));
      return;
    }
    // Boxes hold other things: only what is drawn now, or a click with the box, selects.
    const hit = this.hits(spot).find(
      (k) => draft.kind === "box" || draft.shapes[k]?.kind === draft.kind,
    );
    if (hit !== undefined && !over) this.choose(hit);
    else if (draft.kind === "polygon") this.set(d.opened(draft, at));
    else if (draft.kind === "point") this.born(d.added(draft, "point", [at]));
    else this.set(d.chosen(draft, null));
  }

  /** Shapes at a place, the smallest first: what lies in a larger one can be selected. */
  private hits(spot: Spot): readonly number[] {
    const found = [];
    for (const [k, shape] of (this.draft?.shapes ?? []).entries()) {
      const points = d.outline(shape).map((point) => this.onScreen(point));
      const [first] = points;
      const hit =
        shape.kind === "point"
          ? first && Math.hypot(spot[0] - first[0], spot[1] - first[1]) < NEAR
          : contains(points, spot);
      if (hit) found.push(k);
    }
    const area = (k: number) => {
      const shape = this.draft?.shapes[k];
      const { width, height } = shape ? d.bounds(shape) : { width: 1, height: 1 };
      return width * height;
    };
    return found.sort((a, b) => area(a) - area(b));
  }

  private onScreen([x, y]: d.Point): Spot {
    const { left, top, width, height } = this.rect;
    return [left + x * width, top + y * height];
  }

  private onWheel(event: WheelEvent): void {
    if (!this.draft || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    event.stopPropagation();
    const factor = Math.exp(-clamp(event.deltaY, -50, 50) / 150);
    this.look(zoomed(this.frame, this.size, this.sight, factor, this.spot(event)), false);
  }

  /** Two fingers: what is between them stays between them. */
  private pinch(pointer: number, spot: Spot): void {
    const before = [...this.down.values()];
    this.down.set(pointer, spot);
    const after = [...this.down.values()];
    const spread = ([a, b]: Spot[]) => (a && b ? Math.hypot(a[0] - b[0], a[1] - b[1]) : 1);
    const middle = ([a, b]: Spot[]): Spot =>
      a && b ? [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2] : [0, 0];
    const [from, to] = [middle(before), middle(after)];
    const factor = spread(after) / Math.max(1, spread(before));
    const near = zoomed(this.frame, this.size, this.sight, factor, from);
    this.look(panned(this.frame, this.size, near, to[0] - from[0], to[1] - from[1]), false);
  }

  // ---------------------------------------------------------------- what is seen

  private look(sight: Sight, aloud = true): void {
    const said = described(this.sight, sight);
    this.sight = sight;
    if (said && aloud) this.host.say(said);
    this.draw();
  }

  private set(draft: d.Draft, say = ""): void {
    this.draft = draft;
    this.wrong = "";
    if (say) this.host.say(say);
    this.draw();
  }

  private fail(why: string): void {
    this.wrong = why;
    this.host.say(why);
    this.draw();
  }

  private made(draft: d.Draft): Made {
    return draft.open.length
      ? { wrong: "Close the polygon first (enter), or give it up (escape)." }
      : { value: d.valueOf(draft) };
  }

  private submit(): void {
    const { draft } = this;
    if (!draft) return;
    const made = this.made(draft);
    if ("wrong" in made) {
      this.fail(made.wrong);
      return;
    }
    this.host.submit(made.value);
    this.host.home();
  }

  private fit(): void {
    const width = this.canvas.clientWidth;
    if (!width) return;
    const height = clamp(Math.round(width * FRAME.ratio), FRAME.least, FRAME.most);
    if (width === this.frame.width && height === this.frame.height) return;
    this.frame = { width, height };
    this.draw();
  }

  private draw(): void {
    const { draft, image, canvas, frame, host } = this;
    canvas.style.height = draft && !this.broken ? `${frame.height}px` : "0";
    if (!draft) {
      render(null, this.over);
      const text = "This item is no image to draw on.";
      this.below.draw(this.shown && <p class="nblabel-soft nblabel-none">{text}</p>);
      return;
    }
    const { left, top, width, height } = this.rect;
    Object.assign(image.style, {
      left: `${left}px`,
      top: `${top}px`,
      width: `${width}px`,
      height: `${height}px`,
      filter: filterOf(this.sight),
    });
    const sent = image.naturalWidth || this.size.width;
    image.classList.toggle("nblabel-crisp", width / sent >= CRISP);
    canvas.classList.toggle("nblabel-panning", this.gesture?.type === "pan");
    const tip = this.hover && draft.open.length ? this.hover : null;
    const { task } = host;
    host.changed?.(this.made(draft));
    render(
      <Shapes
        draft={draft}
        tip={tip}
        colors={new Map(task.classes.map((name, k) => [name, k % 10]))}
        onScreen={(point) => this.onScreen(point)}
        frame={frame}
      />,
      this.over,
    );
    this.drawControls(draft);
  }

  private drawControls(draft: d.Draft): void {
    const { host, sight } = this;
    /** What is clicked leaves the keys where they were. */
    const then = (act: unknown) => {
      void act;
      host.home();
    };
    const whole = { zoom: 1, x: 0.5, y: 0.5 };
    this.below.draw(
      <>
        {this.broken && (
          <p class="nblabel-wrong nblabel-none" role="alert">
            This image cannot be shown. You can skip the item.
          </p>
        )}
        <Tools
          draft={draft}
          task={host.task}
          sight={sight}
          cap={(name) => keyCap(this.keyOf(name))}
          onKind={(kind) => then(this.turn(kind))}
          onNew={() => then(this.insert())}
          onZoom={(factor) => then(this.look(zoomed(this.frame, this.size, sight, factor)))}
          onWhole={() => then(this.look({ ...sight, ...whole }))}
          onTone={(tone) => this.look({ ...this.sight, ...tone }, false)}
          onPlain={() => then(this.look({ ...sight, brightness: 1, contrast: 1 }))}
          onLabel={(name) => then(this.name(name))}
        />
        <Submit wrong={this.wrong} hint={hintOf(draft)} onSubmit={() => this.submit()} />
      </>,
    );
  }
}

export default drawing(BoxEditor);
