// @vitest-environment happy-dom
// The editor of shapes on a page: which keys are its own, and what it sends.

import { afterEach, describe, expect, it, vi } from "vitest";
import type { TaskSpec } from "../src/keymap";
import type { EditorHost, Mounted, Shown } from "../src/modules";
import type { Json } from "../src/protocol";

// The style sheet is text for esbuild, and nothing for the tests.
vi.mock("../src/editors/boxes.css", () => ({ default: "" }));
const { default: editor } = await import("../src/editors/boxes");

const TASK: TaskSpec = {
  kind: "boxes",
  classes: ["bird", "cat"],
  keys: { bird: "b", cat: "1" },
  question: null,
  shapes: ["box", "polygon"],
};

const shown = (id: string, label: Json = null, suggested: Json = null): Shown => ({
  id,
  name: id,
  view: { kind: "image", data: { mime: "image/png", width: 8, height: 8 }, buffers: 1 },
  buffers: [new DataView(new ArrayBuffer(8))],
  label,
  suggestion:
    suggested === null
      ? null
      : { label: suggested, confidence: null, ranking: [], marks: [], version: 0 },
});

const BOX = { shape: "box", label: "cat", x: 0.25, y: 0.25, width: 0.5, height: 0.5 };

class Page {
  readonly sent: Json[] = [];
  readonly said: string[] = [];
  readonly root = document.createElement("div");
  readonly mounted: Mounted;

  constructor(item: Shown, task = TASK) {
    const [stage, controls] = [document.createElement("div"), document.createElement("div")];
    this.root.append(stage, controls);
    document.body.replaceChildren(this.root);
    const host: EditorHost = {
      task,
      submit: (value) => void this.sent.push(value),
      say: (text) => void this.said.push(text),
      home: () => undefined,
    };
    this.mounted = editor.mount({ stage, controls }, host);
    this.mounted.show(item);
  }

  press(name: string, { repeat = false, target = this.root as Element | null } = {}): boolean {
    const parts = name.split("+").filter(Boolean);
    const key = name === "+" ? "+" : (parts.at(-1) ?? "");
    const press = {
      key,
      shift: parts.includes("shift"),
      ctrl: parts.includes("ctrl"),
      alt: parts.includes("alt"),
      meta: false,
      repeat,
    };
    return this.mounted.press(press, target);
  }

  find<E extends Element>(selector: string): E {
    const found = this.root.querySelector<E>(selector);
    if (!found) throw new Error(`no ${selector}`);
    return found;
  }

  get listed(): readonly string[] {
    return [...this.root.querySelectorAll("ol li")].map((li) => li.textContent ?? "");
  }
}

let page: Page;
afterEach(() => page.mounted.destroy());

describe("the editor of shapes", () => {
  it("begins with the label, else with the suggestion, and says which", () => {
    page = new Page(shown("1", null, [BOX]));
    expect(page.listed).toEqual(["cat, box, left 25 %, top 25 %, 50 % wide, 50 % high, suggested"]);
    page.mounted.show(shown("1", [{ ...BOX, label: "bird" }], [BOX]));
    expect(page.listed).toEqual(["bird, box, left 25 %, top 25 %, 50 % wide, 50 % high"]);
    page.press("Enter");
    expect(page.sent).toEqual([[{ ...BOX, label: "bird" }]]);
  });

  it("keeps what was drawn when a suggestion comes later", () => {
    const item = shown("1");
    page = new Page(item);
    page.press("a");
    page.mounted.show({ ...item, suggestion: shown("1", null, [BOX]).suggestion });
    expect(page.listed.length).toBe(1);
    expect(page.listed[0]).not.toContain("suggested");
    page.mounted.show(shown("2"));
    expect(page.listed).toEqual([]);
  });

  it("leaves a label its letter: the command takes shift", () => {
    page = new Page(shown("1", [BOX]));
    page.press("Tab");
    expect(page.press("b")).toBe(true);
    expect(page.listed[0]).toContain("bird");
    expect(page.find<HTMLImageElement>("img").style.filter).toBe("");
    expect(page.press("shift+b")).toBe(true);
    expect(page.find<HTMLImageElement>("img").style.filter).toContain("brightness(1.1)");
    expect(page.press("k")).toBe(true);
    expect(page.press("shift+k")).toBe(false);
  });

  it("lets a key held down take back or send no items", () => {
    page = new Page(shown("1", [BOX]));
    page.press("Tab");
    expect(page.press("Backspace")).toBe(true);
    expect(page.press("Backspace", { repeat: true })).toBe(true);
    expect(page.press("Backspace")).toBe(false);
    expect(page.press("z")).toBe(true);
    expect(page.press("z", { repeat: true })).toBe(true);
    expect(page.press("z")).toBe(false);
    page.press("a");
    page.press("a", { repeat: true });
    expect(page.listed.length).toBe(2);
    page.press("Enter", { repeat: true });
    page.press(" ", { repeat: true });
    expect(page.sent).toEqual([]);
  });

  it("goes through the shapes and out again", () => {
    page = new Page(shown("1", [BOX, { ...BOX, label: "bird" }]));
    expect(page.press("Tab")).toBe(true);
    expect(page.said.at(-1)).toMatch(/^1 of 2: cat, box/);
    expect(page.root.querySelector("[aria-current]")?.textContent).toContain("cat");
    expect(page.press("Tab")).toBe(true);
    expect(page.press("Tab")).toBe(false);
    expect(page.root.querySelector("[aria-current]")).toBeNull();
    expect(page.press("Escape")).toBe(false);
  });

  it("leaves fields and buttons their keys", () => {
    page = new Page(shown("1", [BOX]));
    const slider = page.find("input[type=range]");
    expect(page.press("ArrowLeft", { target: slider })).toBe(false);
    const button = page.find("button");
    for (const key of ["Enter", " ", "Tab"])
      expect(page.press(key, { target: button })).toBe(false);
    expect(page.sent).toEqual([]);
  });

  it("sends no open polygon", () => {
    page = new Page(shown("1"));
    page.press("t");
    const canvas = page.find<HTMLElement>(".nblabel-canvas");
    canvas.setPointerCapture = () => undefined;
    const click = (clientX: number, clientY: number) => {
      for (const type of ["pointerdown", "pointerup"])
        canvas.dispatchEvent(new PointerEvent(type, { clientX, clientY, bubbles: true }));
    };
    click(0, 0);
    click(408, 0);
    page.press("Enter");
    expect(page.said.at(-1)).toBe("A polygon has at least three corners.");
    click(408, 408);
    page.press(" ");
    expect(page.find('[role="alert"]').textContent).toContain("Close the polygon first");
    expect(page.sent).toEqual([]);
    page.press("Enter");
    page.press("Enter");
    const points = [
      [0, 0],
      [1, 0],
      [1, 1],
    ];
    expect(page.sent).toEqual([[{ shape: "polygon", label: "bird", points }]]);
  });

  it("is pinched by two fingers, which draw nothing", () => {
    page = new Page(shown("1"));
    const canvas = page.find<HTMLElement>(".nblabel-canvas");
    canvas.setPointerCapture = () => undefined;
    const finger = (type: string, pointerId: number, clientX: number, clientY: number) => {
      const init = { pointerId, clientX, clientY, pointerType: "touch", bubbles: true };
      canvas.dispatchEvent(new PointerEvent(type, init));
    };
    finger("pointerdown", 1, 150, 204);
    finger("pointermove", 1, 160, 214);
    finger("pointerdown", 2, 260, 214);
    expect(page.listed).toEqual([]);
    finger("pointermove", 1, 110, 214);
    finger("pointermove", 2, 310, 214);
    expect(parseFloat(page.find<HTMLImageElement>("img").style.width)).toBeCloseTo(816);
    finger("pointerup", 1, 110, 214);
    finger("pointerup", 2, 310, 214);
    expect(page.listed).toEqual([]);
    finger("pointerdown", 3, 100, 100);
    finger("pointermove", 3, 300, 300);
    finger("pointerup", 3, 300, 300);
    expect(page.listed.length).toBe(1);
  });

  it("says what cannot be drawn on", () => {
    page = new Page({ ...shown("1"), view: { kind: "text", data: {}, buffers: 0 } });
    expect(page.root.textContent).toContain("no image to draw on");
    expect(page.press("a")).toBe(false);
  });
});
