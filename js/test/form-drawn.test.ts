// @vitest-environment happy-dom
// A form whose questions are answered on the item itself, and the editor of spans on a page.

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { TaskSpec } from "../src/keymap";
import { bindings } from "../src/keymap";
import type { EditorHost, Mounted, Shown } from "../src/modules";
import type { Json } from "../src/protocol";

for (const name of ["boxes", "spans", "form", "multilabel", "rating", "freetext", "pairs"])
  vi.doMock(`../src/editors/${name}.css`, () => ({ default: "" }));
const { default: form } = await import("../src/editors/form");
const { default: spans } = await import("../src/editors/spans");

const task = (kind: string, options: object = {}): TaskSpec => ({
  kind,
  classes: [],
  keys: {},
  question: null,
  ...options,
});
const SPANS = task("spans", {
  classes: ["person", "place"],
  keys: { person: "1", place: "2" },
  overlap: "none",
  relations: [],
  snap: true,
});
const TONE = task("choice", { classes: ["kind", "rude"], keys: { kind: "1", rude: "2" } });
const BOXES = task("boxes", { classes: ["cat"], keys: { cat: "1" }, shapes: ["box", "polygon"] });

const formOf = (parts: Record<string, TaskSpec>, when: object = {}): TaskSpec =>
  task("form", {
    parts: Object.entries(parts).map(([name, part]) => ({ name, task: part })),
    when,
  });

const text = (id: string, label: Json = null): Shown => ({
  id,
  name: id,
  view: { kind: "text", data: { text: "🎉 Ana met Bo" }, buffers: 0 },
  buffers: [],
  label,
  suggestion: null,
});
const image = (id: string): Shown => ({
  ...text(id),
  view: { kind: "image", data: { mime: "image/png", width: 8, height: 8 }, buffers: 1 },
  buffers: [new DataView(new ArrayBuffer(8))],
});

class Page {
  readonly sent: Json[] = [];
  readonly said: string[] = [];
  readonly stage = document.createElement("div");
  readonly controls = document.createElement("div");
  readonly mounted: Mounted;

  constructor(item: Shown, spec: TaskSpec, editor = form) {
    const root = document.createElement("div");
    root.append(this.stage, this.controls);
    document.body.replaceChildren(root);
    const host: EditorHost = {
      task: spec,
      submit: (value) => void this.sent.push(value),
      say: (said) => void this.said.push(said),
      home: () => undefined,
    };
    this.mounted = editor.mount({ stage: this.stage, controls: this.controls }, host);
    this.mounted.show(item);
  }

  press(...names: string[]): boolean[] {
    return names.map((name) => this.hold(name, false));
  }

  hold(name: string, repeat = true): boolean {
    const parts = name.split("+");
    const has = (one: string) => parts.includes(one);
    const press = { key: parts.at(-1) ?? "", shift: has("shift"), ctrl: has("ctrl"), repeat };
    return this.mounted.press({ ...press, alt: false, meta: false }, this.controls);
  }

  /** The question at hand. */
  get at(): string {
    return this.controls.querySelector(".nblabel-at legend")?.textContent ?? "";
  }
  get marked(): string[] {
    return [...this.stage.querySelectorAll(".nblabel-in")].map((piece) => piece.textContent ?? "");
  }
}

let page: Page;
beforeEach(() => {
  // Not in happy-dom.
  vi.stubGlobal("ResizeObserver", class { observe() {} disconnect() {} }); // prettier-ignore
});
afterEach(() => page.mounted.destroy());

const ana = { start: 2, end: 5, label: "person" };

describe("spans", () => {
  it("a key held down takes back spans, and no items", () => {
    page = new Page(text("1", [ana]), SPANS, spans);
    expect(page.press("Tab", "Backspace")).toEqual([true, true]);
    expect(page.marked).toEqual([]);
    expect(page.hold("Backspace")).toBe(true);
    expect(page.press("Backspace")).toEqual([false]);
    expect(page.press("z")).toEqual([true]);
    expect(page.hold("z")).toBe(true);
    expect(page.press("z")).toEqual([false]);
  });

  it("a key held down sends one item", () => {
    page = new Page(text("1"), SPANS, spans);
    page.press("Enter");
    expect(page.hold("Enter")).toBe(true);
    expect(page.sent).toEqual([[]]);
  });
});

describe("a form with spans", () => {
  const spec = formOf({ who: SPANS, tone: TONE });

  it("has the place in the card only where a question is drawn", () => {
    const draws = form.stage as (task: TaskSpec) => boolean;
    expect(draws(spec)).toBe(true);
    expect(draws(formOf({ tone: TONE }))).toBe(false);
    const back = (one: TaskSpec) => bindings(one).find((b) => b.command === "back")?.keys;
    expect([back(spec), back(formOf({ tone: TONE }))]).toEqual([[","], ["left"]]);
  });

  it("marks by keys, goes on, and sends all at once", () => {
    page = new Page(text("1"), spec);
    expect(page.at).toBe("who");
    page.press("ArrowRight", "1");
    expect(page.marked).toEqual(["Ana"]);
    page.press("Enter");
    expect(page.at).toBe("tone");
    page.press("2", "Enter");
    expect(page.sent).toEqual([{ who: [ana], tone: "rude" }]);
  });

  it("is sent from any question, and says what is missing", () => {
    page = new Page(text("1"), spec);
    page.press("ctrl+Enter");
    expect(page.sent).toEqual([]);
    expect(page.controls.textContent).toContain("tone: Choose a label.");
    page.press("PageDown", "1", "PageUp");
    expect(page.at).toBe("who");
    page.press("ctrl+Enter");
    expect(page.sent).toEqual([{ who: [], tone: "kind" }]);
  });

  it("begins with what was said, and anew with each item", () => {
    page = new Page(text("1", { who: [ana], tone: "kind" }), spec);
    expect(page.marked).toEqual(["Ana"]);
    page.mounted.show(text("2"));
    expect(page.marked).toEqual([]);
    expect(page.at).toBe("who");
    page.press("ctrl+Enter");
    expect(page.sent).toEqual([]);
  });

  it("goes to the question of what is clicked", () => {
    page = new Page(text("1", { who: [ana], tone: "kind" }), spec);
    page.press("PageDown");
    expect(page.at).toBe("tone");
    const piece = page.stage.querySelector<HTMLElement>(".nblabel-in")!;
    piece.dispatchEvent(new PointerEvent("pointerdown", { bubbles: true }));
    expect(page.at).toBe("who");
  });

  it("shows the item also where the spans are not asked for", () => {
    const later = formOf({ tone: TONE, who: SPANS }, { who: ["tone", "rude"] });
    page = new Page(text("1"), later);
    expect(page.stage.textContent).toContain("Ana");
    page.press("1", "Enter");
    expect(page.sent).toEqual([{ tone: "kind" }]);
    page.press("PageUp", "2");
    expect(page.at).toBe("who");
    page.press("ArrowRight", "1", "Enter");
    expect(page.sent.at(-1)).toEqual({ tone: "rude", who: [ana] });
  });

  it("shows the spans of the question at hand", () => {
    page = new Page(text("1"), formOf({ who: SPANS, also: { ...SPANS, question: "And?" } }));
    page.press("ArrowRight", "1", "Enter");
    const seen = () => [...page.stage.children].map((place) => !(place as HTMLElement).hidden);
    expect(seen()).toEqual([false, true]);
    page.press("2", "ctrl+Enter");
    expect(page.sent).toEqual([{ who: [ana], also: [{ start: 0, end: 1, label: "place" }] }]);
  });
});

describe("a form with shapes", () => {
  it("draws by keys, and is not sent with an open polygon", () => {
    page = new Page(image("1"), formOf({ things: BOXES, tone: TONE }));
    page.press("a", "Enter", "1");
    page.press("ctrl+Enter");
    const [sent] = page.sent as unknown as [{ things: { shape: string }[]; tone: string }];
    expect([sent.things.map(({ shape }) => shape), sent.tone]).toEqual([["box"], "kind"]);
  });

  it("cannot be sent for what is no image", () => {
    page = new Page(text("1"), formOf({ things: BOXES }));
    page.press("ctrl+Enter");
    expect(page.sent).toEqual([]);
    expect(page.controls.textContent).toContain("no image to draw on");
  });
});

describe("a form with a pair", () => {
  const pair = (swapped: boolean): Shown => ({
    ...text("1"),
    view: { kind: "pair", data: { swapped }, buffers: 0 },
  });
  const spec = formOf({ better: task("pairs", { ties: true }), tone: TONE });

  it("names what the arrow points at, whichever stands there", () => {
    page = new Page(pair(true), spec);
    page.press("ArrowLeft");
    expect(page.at).toBe("tone");
    page.press("1", "Enter");
    expect(page.sent).toEqual([{ better: "second", tone: "kind" }]);
    const chosen = page.controls.querySelector('[data-label="first"]') as HTMLElement;
    chosen.click();
    page.press("ctrl+Enter");
    expect(page.sent.at(-1)).toEqual({ better: "first", tone: "kind" });
  });
});
