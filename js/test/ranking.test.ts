// @vitest-environment happy-dom
// Options put into order: the keys, pure, and the list on a page.

import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import editor, { listed, logic, type Order } from "../src/editors/ranking";
import * as form from "../src/editors/form";
import type { Logic } from "../src/editors/base";
import type { TaskSpec } from "../src/keymap";
import type { EditorHost, Mounted, Shown } from "../src/modules";
import type { Json } from "../src/protocol";

const spec: TaskSpec = {
  kind: "ranking",
  classes: ["a", "b", "c", "d"],
  keys: { a: "1", b: "2", c: "3", d: "4" },
  question: null,
  ties: true,
};

const shown = (label: Json = null, suggestion: Json = null, parts: object[] = []): Shown => ({
  id: "1",
  name: "1",
  view: { kind: "several", data: { parts }, buffers: 0 },
  buffers: [],
  label,
  suggestion:
    suggestion === null
      ? null
      : { label: suggestion, confidence: 0.9, ranking: [], marks: [], version: 1 },
});

/** What keys lead to: the value that is sent, or why it is not. */
function sent<D>(how: Logic<D>, task: TaskSpec, start: Shown, ...keys: string[]): unknown {
  let draft = how.begin(task, start);
  for (const key of keys) {
    const effect = how.press(task, draft, key, false);
    if (effect && "submit" in effect) {
      const made = how.value(task, effect.submit);
      return "value" in made ? made.value : made.wrong;
    }
    if (effect && "draft" in effect) draft = effect.draft;
  }
  return draft;
}

describe("a ranking", () => {
  it("is made by digits, and the last one falls into its place", () => {
    expect(sent(logic, spec, shown(), "3", "1", "4", "enter")).toEqual(["c", "a", "d", "b"]);
    expect(sent(logic, spec, shown(), "3", "1", "3", "2", "4", "enter")).toEqual([
      "a",
      "b",
      "d",
      "c",
    ]);
    expect(sent(logic, spec, shown(), "3", "enter")).toBe(
      "3 options have no place yet: “a”, “b”, “d”.",
    );
  });

  it("begins with the label, then with the suggestion, and starts over", () => {
    const all = ["d", ["a", "b"], "c"];
    expect(sent(logic, spec, shown(all, ["a", "b", "c", "d"]), "enter")).toEqual(all);
    expect(sent(logic, spec, shown(null, all), "space")).toEqual(all);
    expect(sent(logic, spec, shown(null, all), "0", "2", "1", "3", "enter")).toEqual([
      "b",
      "a",
      "c",
      "d",
    ]);
    const guess = shown(null, ["a", "b", "c", "d"]);
    expect(sent(logic, spec, guess, "down", "down", "shift+up", "enter")).toEqual([
      "a",
      "c",
      "b",
      "d",
    ]);
    // What is no order of these options is nothing to begin with.
    for (const odd of [["a"], "a", ["a", "b", "c", "x"], ["a", "a", "b", "c"], { a: 1 }]) {
      expect(logic.begin(spec, shown(odd)).places).toEqual([]);
    }
  });

  it("is changed by moving what the arrows are at", () => {
    const start = shown(["a", "b", "c", "d"]);
    expect(sent(logic, spec, start, "down", "shift+up", "enter")).toEqual(["b", "a", "c", "d"]);
    expect(sent(logic, spec, start, "alt+down", "alt+down", "alt+down", "enter")).toEqual([
      "b",
      "c",
      "d",
      "a",
    ]);
    expect(sent(logic, spec, start, "shift+up", "up", "enter")).toEqual(["a", "b", "c", "d"]);
    // What has no place gets one from below, and loses it there.
    const two = sent(logic, spec, shown(), "2", "down", "shift+up") as Order;
    expect(two).toEqual({ places: [["b"], ["a"]], at: "a" });
    expect(sent(logic, spec, shown(), "2", "1", "shift+down")).toEqual({
      places: [["b"]],
      at: "a",
    });
  });

  it("has ties where they are allowed", () => {
    const start = shown(["a", "b", "c", "d"]);
    expect(sent(logic, spec, start, "down", "=", "enter")).toEqual([["a", "b"], "c", "d"]);
    expect(sent(logic, spec, start, "down", "down", "=", "up", "=", "enter")).toEqual([
      ["a", "b"],
      "c",
      "d",
    ]);
    const tie = shown(["d", ["a", "b"], "c"]);
    expect(sent(logic, spec, tie, "down", "down", "=", "enter")).toEqual(["d", "a", "b", "c"]);
    expect(sent(logic, spec, tie, "down", "shift+up", "enter")).toEqual(["d", "a", "b", "c"]);
    expect(sent(logic, spec, tie, "down", "down", "shift+down", "enter")).toEqual([
      "d",
      "a",
      "b",
      "c",
    ]);
    expect(sent(logic, spec, tie, "shift+down", "enter")).toEqual([["a", "b"], "d", "c"]);
    expect(logic.press({ ...spec, ties: false }, logic.begin(spec, start), "=", false)).toBeNull();
    expect(logic.keys({ ...spec, ties: false }).flatMap((one) => one.keys)).not.toContain("=");
  });

  it("has every option once, whatever is pressed", () => {
    const keys = ["1", "2", "3", "4", "up", "down", "shift+up", "shift+down", "=", "0"];
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...keys), { maxLength: 30 }), (pressed) => {
        const draft = sent(logic, spec, shown(), ...pressed) as Order;
        expect([...listed(spec, draft)].sort()).toEqual(spec.classes);
        expect(draft.places.every((place) => place.length > 0)).toBe(true);
        expect(spec.classes).toContain(draft.at);
        const made = logic.value(spec, draft);
        if ("value" in made)
          expect(logic.begin(spec, shown(made.value)).places.flat().length).toBe(4);
      }),
    );
  });

  it("stands in a form, with its own arrows", () => {
    const both: TaskSpec = {
      kind: "form",
      classes: [],
      keys: {},
      question: null,
      parts: [
        { name: "order", task: { ...spec, classes: ["a", "b"], keys: { a: "1", b: "2" } } },
        { name: "tone", task: { ...spec, kind: "choice", classes: ["x"], keys: { x: "1" } } },
      ],
      when: {},
    };
    const keys = ["2", "1", "shift+up", "enter", "1", "enter"];
    expect(sent(form.logic, both, shown(), ...keys)).toEqual({ order: ["a", "b"], tone: "x" });
  });
});

describe("the list", () => {
  let mounted: Mounted | null = null;
  afterEach(() => {
    mounted?.destroy();
    document.body.replaceChildren();
  });

  function open(start: Shown) {
    const el = document.createElement("div");
    document.body.append(el);
    const made: Json[] = [];
    const said: string[] = [];
    const host: EditorHost = {
      task: spec,
      submit: (value) => made.push(value),
      say: (text) => said.push(text),
      home: () => undefined,
    };
    mounted = editor.mount({ stage: null, controls: el }, host);
    mounted.show(start);
    const rows = () => [...el.querySelectorAll<HTMLElement>("[role=option]")];
    rows().forEach((row) => expect(row.getAttribute("aria-label")).toBeTruthy());
    const order = () => rows().map((row) => `${row.dataset["option"]}${row.dataset["rank"]}`);
    const at = async () => {
      await new Promise((done) => setTimeout(done));
      return order().join(" ");
    };
    /** Rows of ten pixels below each other: happy-dom has no layout. */
    const laid = () =>
      rows().forEach((row, k) => {
        row.getBoundingClientRect = () => new DOMRect(0, 10 * k, 100, 10);
        (row.parentElement as HTMLElement).setPointerCapture = () => undefined;
      });
    const point = (type: string, name: string, y: number) => {
      laid();
      const row = rows().find((one) => one.dataset["option"] === name) as HTMLElement;
      row.dispatchEvent(
        new PointerEvent(type, { bubbles: true, button: 0, clientY: y, pointerType: "mouse" }),
      );
    };
    return { el, rows, at, point, made, said };
  }

  it("places what is clicked, and selects what has a place", async () => {
    const page = open(shown());
    for (const name of ["c", "a", "c"]) {
      page.point("pointerdown", name, 1);
      await page.at();
      page.point("pointerup", name, 1);
      await page.at();
    }
    expect(await page.at()).toBe("c1 a2 b0 d0");
    expect(page.rows()[0]?.getAttribute("aria-selected")).toBe("true");
  });

  it("moves what is dragged", async () => {
    const page = open(shown(["a", "b", "c", "d"]));
    page.point("pointerdown", "a", 5);
    await page.at();
    page.point("pointermove", "a", 25);
    await page.at();
    page.point("pointerup", "a", 25);
    expect(await page.at()).toBe("b1 c2 a3 d4");
    page.point("pointerdown", "d", 35);
    await page.at();
    page.point("pointermove", "d", 5);
    await page.at();
    page.point("pointerup", "d", 5);
    expect(await page.at()).toBe("d1 b2 c3 a4");
  });

  it("has a button for every move, and says what is wrong", async () => {
    const page = open(shown(["a", "b", "c", "d"]));
    const button = (name: string) =>
      [...page.el.querySelectorAll("button")].find((one) => one.textContent?.startsWith(name));
    button("down")?.click();
    expect(await page.at()).toBe("b1 a2 c3 d4");
    button("tie")?.click();
    expect(await page.at()).toBe("a1 b1 c3 d4");
    button("start over")?.click();
    expect(await page.at()).toBe("a0 b0 c0 d0");
    button("done")?.click();
    await page.at();
    expect(page.el.querySelector("[role=alert]")?.textContent).toContain("have no place yet");
    expect(page.made).toEqual([]);
    expect(page.said.at(-1)).toContain("have no place yet");
  });

  it("shows the beginning of what an option stands for, as text", async () => {
    const text = `<b>${"x".repeat(5000)}`;
    const part = { name: "b", view: { kind: "text", data: { text }, buffers: 0 } };
    const page = open(shown(null, null, [part]));
    await page.at();
    const found = [...page.el.querySelectorAll(".nblabel-excerpt")];
    expect(found.map((one) => one.textContent)).toEqual([text.slice(0, 300)]);
  });
});
