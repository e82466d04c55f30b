// @vitest-environment happy-dom
// A page of many items on the screen: what its keys and clicks do, and what it says.

import { afterEach, beforeEach, describe, expect, test } from "vitest";
import grid from "../src/panels/grid";
import type { Config } from "../src/controller";
import type { Found, ItemPart } from "../src/protocol";
import { FEW, MANY, SHOWN, part, suggestion } from "./helpers";
import { Page, settle } from "./page";

const loaded = (globalThis as unknown as Record<symbol, Map<string, Promise<unknown>>>)[
  Symbol.for("nblabel.modules")
]!;
const names = Array.from({ length: 30 }, (_, k) => `t${k}`);

let page: Page;

async function open(change: Partial<Config> = {}, label = "ham"): Promise<Page> {
  page = new Page({ modules: { "panel-grid": "1" }, ...change });
  await page.items([part("q", { suggestion: suggestion(label) }), part("r")]);
  page.focus();
  return page;
}

const shown = { ...SHOWN, strategy: "grid", visible: true, suggestion: "ham" };
const believed = (id: string, change: Partial<ItemPart> = {}) =>
  part(id, { suggestion: suggestion("ham", { confidence: 0.97 }), shown, ...change });

/** The kernel answers what the page has asked for last. */
async function bring(items: readonly ItemPart[], change: Partial<Found> = {}): Promise<void> {
  const asked = page.sent.filter((message) => message.type === "find").at(-1)!;
  const { of } = asked as unknown as { of: string };
  const rest = { of, left: 0, counts: {}, pending: false, error: null };
  await page.hear({ v: 1, type: "found", re: asked.id, items, ...rest, ...change });
}

const asked = () =>
  page.sent.filter((message) => message.type === "find").at(-1) as unknown as
    Record<string, unknown> | undefined;
const tiles = () => page.all(".nblabel-tile").map((tile) => tile.dataset["item"]);
const here = () => page.one('.nblabel-tile[data-here="true"]')?.dataset["item"] ?? null;
const marked = () =>
  page
    .all('.nblabel-tile[data-marked="true"]')
    .map((tile) => [tile.dataset["item"], tile.querySelector(".nblabel-tile-mark")!.textContent]);
const said = () => page.said.map((e) => [e.item, e.kind === "label" ? e.value : e.kind]);
const title = () => page.one(".nblabel-grid-title")!.textContent;

beforeEach(() => loaded.set("panel-grid/1", Promise.resolve(grid)));
afterEach(() => page.close());

describe("a page of a class", () => {
  beforeEach(async () => {
    await open();
    await page.press("g");
    await bring(
      names.map((id) => believed(id)),
      { left: 40 },
    );
  });

  test("shows the class of the suggestion, how sure, and as many as there is room for", () => {
    expect(asked()).toMatchObject({ rule: "class", of: "ham", strategy: "grid", least: false });
    expect(title()).toBe("All of these are “ham”?");
    expect(page.text).toContain("page 1 · the model is 97 % sure");
    expect(tiles().length).toBeGreaterThan(3);
    expect(tiles()).toEqual(names.slice(0, tiles().length));
    expect([here(), page.item]).toEqual(["t0", "t0"]);
    expect(page.one(".nblabel-card")).toBeNull();
    expect(document.activeElement?.getAttribute("role")).toBe("listbox");
    expect(page.one(".nblabel-tile .nblabel-text")!.textContent).toBe("text of t0");
  });

  test("enter says that all but the marked are right, and the next page is there", async () => {
    const n = tiles().length;
    await page.press("ArrowRight");
    await page.press("2");
    await page.press("End");
    await page.press("s");
    expect(marked()).toEqual([
      ["t1", "spam"],
      [names[n - 1], "skip"],
    ]);
    expect(page.text).toContain(`2 of ${n} changed`);
    await page.press("Enter");
    const expected = names.slice(0, n).map((id) => [id, "ham"] as (string | null)[]);
    expected[1] = ["t1", "spam"];
    expected[n - 1] = [names[n - 1]!, "skip"];
    expect(said()).toEqual(expected);
    expect(tiles()[0]).toBe(names[n]);
    expect([here(), marked()]).toEqual([names[n], []]);
    expect(page.text).toContain("page 2");
    await page.press("z");
    expect(page.said.slice(n).every((e) => e.kind === "retract")).toBe(true);
    expect([tiles(), marked().length]).toEqual([names.slice(0, n), 2]);
  });

  test("a key that is held says one page, and only arrows go on", async () => {
    await page.press("Enter", { repeat: true });
    await page.press("2", { repeat: true });
    await page.press("z", { repeat: true });
    expect([said(), marked()]).toEqual([[], []]);
    await page.press("ArrowRight", { repeat: true });
    expect(here()).toBe("t1");
  });

  test("arrows stay on the page; up from the first row is all of them", async () => {
    await page.press("ArrowLeft");
    expect(here()).toBeNull();
    expect(page.one(".nblabel-grid-title")!.dataset["here"]).toBe("true");
    await page.press("2");
    expect(title()).toBe("All of these are “spam”?");
    await page.press("ArrowDown");
    expect(here()).toBe("t0");
    await page.press("End");
    const last = here();
    await page.press("ArrowDown");
    expect(here()).toBe(last);
    await page.press("Home");
    await page.press("ArrowUp");
    expect(here()).toBeNull();
  });

  test("larger tiles make smaller pages, and nothing is lost", async () => {
    const n = tiles().length;
    await page.press("+");
    await page.press("+");
    const fewer = tiles().length;
    expect(fewer).toBeLessThan(n);
    await page.press("Enter");
    expect(said()).toHaveLength(fewer);
    expect(tiles()[0]).toBe(names[fewer]);
    await page.press("-");
    await page.press("-");
    expect(tiles().length).toBe(n);
  });

  test("magnified, a small image becomes the whole one when it comes", async () => {
    const view = (data: object) => ({ kind: "text", data: { ...data }, buffers: 0 });
    await page.press("Escape");
    await page.press("g");
    await bring([believed("t0", { view: view({ text: "small", side: 400 }) })]);
    const key = (type: string) =>
      document.activeElement!.dispatchEvent(new KeyboardEvent(type, { key: " ", bubbles: true }));
    key("keydown");
    await settle();
    expect(page.one(".nblabel-magnified")!.textContent).toBe("small");
    expect(asked()).toMatchObject({ rule: "ids", ids: ["t0"], whole: true });
    await bring([believed("t0", { view: view({ text: "the whole" }) })]);
    expect(page.one(".nblabel-magnified")!.textContent).toBe("the whole");
    key("keyup");
    await settle();
    expect(page.one(".nblabel-magnified")).toBeNull();
    expect(page.one(".nblabel-tile .nblabel-text")!.textContent).toBe("small");
  });

  test("space magnifies as long as it is held, and draws the item once", async () => {
    const drawn = () => page.all(".nblabel-text").filter((el) => el.textContent === "text of t0");
    const at = document.activeElement!;
    at.dispatchEvent(new KeyboardEvent("keydown", { key: " ", bubbles: true, cancelable: true }));
    await settle();
    expect(page.one(".nblabel-magnified")!.textContent).toBe("text of t0");
    expect(drawn()).toHaveLength(1);
    at.dispatchEvent(new KeyboardEvent("keyup", { key: " ", bubbles: true }));
    await settle();
    expect(page.one(".nblabel-magnified")).toBeNull();
    expect(page.one(".nblabel-tile")!.textContent).toContain("text of t0");
    expect(drawn()).toHaveLength(1);
  });

  test("escape goes back to one by one, and says nothing", async () => {
    await page.press("2");
    await page.press("Escape");
    expect([said(), page.item, page.all(".nblabel-tile").length]).toEqual([[], "q", 0]);
    await page.press("1");
    expect(said()).toEqual([["q", "ham"]]);
  });

  test("the other classes, the least sure, and pages that are passed", async () => {
    await page.press(".");
    expect([said(), here()]).toEqual([[], tiles()[0]]);
    expect(tiles()).not.toContain("t0");
    await page.press("o");
    expect(asked()).toMatchObject({ of: "ham", least: true });
    await bring([believed("a")], { counts: { ham: 9, spam: 4 } });
    await page.press("c");
    expect(asked()).toMatchObject({ of: "spam", least: true });
    await bring([believed("b")], { counts: { ham: 9, spam: 4 } });
    await page.click(page.button("next class"));
    expect(asked()).toMatchObject({ of: "ham", least: true });
  });

  test("a click puts the ring, of two labels it says the other one", async () => {
    await page.click(page.all(".nblabel-tile")[2]!);
    expect([here(), marked()]).toEqual(["t2", [["t2", "spam"]]]);
    await page.click(page.all(".nblabel-tile")[2]!);
    expect(marked()).toEqual([]);
    await page.click(page.all<HTMLElement>(".nblabel-grid-label")[1]!);
    expect(marked()).toEqual([["t2", "spam"]]);
    expect(document.activeElement?.getAttribute("role")).toBe("listbox");
  });

  test("a screen reader hears the page, the item and its mark", async () => {
    const list = page.one('[role="listbox"]')!;
    expect(list.getAttribute("aria-label")).toBe(title());
    await page.press("ArrowRight");
    await page.press("2");
    const active = document.getElementById(list.getAttribute("aria-activedescendant")!)!;
    expect(active.getAttribute("aria-label")).toBe("text of t1: marked spam");
    expect(active.getAttribute("aria-selected")).toBe("true");
    expect(page.controller.state.value.said).toBe("text of t1: marked spam");
    await page.press("Enter");
    expect(page.controller.state.value.said).toContain("All of these are “ham”?");
  });

  test("no key leaks, and the sheet has the keys of the page", async () => {
    for (const key of ["ArrowDown", "2", "+", "-", " ", "x", "q", "?"]) await page.press(key);
    expect(page.leaked).toEqual([]);
    expect(page.one(".nblabel-sheet")!.textContent).toContain("hold: magnify");
    expect(page.one(".nblabel-sheet")!.textContent).not.toContain("write a note");
    await page.press("Escape");
    expect([page.one(".nblabel-sheet"), tiles().length > 0]).toEqual([null, true]);
  });
});

describe("what is alike, and what has some words", () => {
  test("all of them are what the first key says, and one what another says", async () => {
    await open();
    await page.press("m");
    expect(asked()).toMatchObject({ rule: "similar", of: "q", strategy: "similar" });
    await bring([], { pending: true });
    expect(page.text).toContain("Looking for what is alike");
    page.world.advance(400);
    await bring(["q", "b", "c"].map((id) => part(id, { name: `${id}.png` })));
    expect([title(), here()]).toEqual(["Like item q.png", null]);
    await page.press("Enter");
    expect(said()).toEqual([]);
    await page.press("2");
    await page.press("ArrowDown");
    await page.press("1");
    await page.press("Enter");
    expect(said()).toEqual([
      ["q", "ham"],
      ["b", "spam"],
      ["c", "spam"],
    ]);
    await bring([]);
    expect(page.text).toContain("Nothing more without a label is like it");
  });

  test("letters that are typed before the field has come are not lost", async () => {
    let come: (module: unknown) => void = () => undefined;
    loaded.set("panel-grid/1", new Promise((done) => (come = done)));
    await open();
    for (const key of ["w", "t", "2", "o", "Enter"]) await page.press(key, {}, page.root);
    expect(page.said).toEqual([]);
    come(grid);
    await settle();
    expect(asked()).toMatchObject({ rule: "search", of: "t2o" });
    expect(page.one<HTMLInputElement>(".nblabel-grid-find")!.value).toBe("t2o");
  });

  test("letters for a page that was left before it came are not for the next one", async () => {
    let come: (module: unknown) => void = () => undefined;
    loaded.set("panel-grid/1", new Promise((done) => (come = done)));
    await open();
    for (const key of ["w", "t", "Enter", "Escape", "w"]) await page.press(key, {}, page.root);
    come(grid);
    await settle();
    expect(asked()).toBeUndefined();
    expect(page.one<HTMLInputElement>(".nblabel-grid-find")!.value).toBe("");
  });

  test("words are typed first; what has a label shows it and keeps it", async () => {
    await open();
    await page.press("w");
    expect(asked()).toBeUndefined();
    const field = page.one<HTMLInputElement>(".nblabel-grid-find")!;
    expect(document.activeElement).toBe(field);
    await page.press("Enter");
    expect(asked()).toBeUndefined();
    field.value = "two words";
    await page.press("Enter");
    expect(asked()).toMatchObject({ rule: "search", of: "two words" });
    await bring([part("a", { label: "ham" }), part("b")]);
    expect(document.activeElement?.getAttribute("role")).toBe("listbox");
    expect(page.one(".nblabel-tile-mark")!.textContent).toBe("ham");
    await page.press("2");
    await page.press("Enter");
    expect(said()).toEqual([["b", "spam"]]);
    await page.press("w");
    await page.press("Escape");
    expect(page.item).toBe("q");
  });
});

test("an item that stands for others says so, on a tile and on its card", async () => {
  await open();
  await page.items([part("q"), part("r")]);
  await page.press("g");
  await bring([believed("a", { copies: 3 }), believed("b")]);
  expect(page.all(".nblabel-tile-copies").map((el) => el.textContent)).toEqual(["×3", ""]);
  expect(page.all(".nblabel-tile")[0]!.getAttribute("aria-label")).toContain("3 copies");
});

test("errors and ends are said, with the way on", async () => {
  await open();
  await page.press("g");
  await bring([], { error: "There is no model yet: label items of two classes." });
  expect(page.one('.nblabel-grid [role="alert"]')!.textContent).toContain("no model yet");
  await page.press("Escape");
  await page.press("g");
  await bring([], { counts: { spam: 4 } });
  expect(page.text).toContain("Nothing is believed to be “ham”");
  await page.click(page.button(/next class: spam \(4\)/));
  expect(asked()).toMatchObject({ of: "spam" });
});

describe("with many labels", () => {
  beforeEach(async () => {
    await open({ task: MANY }, "label number 3");
    await page.press("G", { shiftKey: true });
    await bring(
      names.map((id) => believed(id)),
      { of: "label number 3" },
    );
  });

  test("names are typed for the tile with the ring, and letters do nothing else", async () => {
    const field = page.one<HTMLInputElement>(".nblabel-grid .nblabel-search")!;
    await page.press("z");
    expect(document.activeElement).toBe(field);
    field.value = "number 12";
    field.dispatchEvent(new InputEvent("input", { bubbles: true }));
    await settle();
    expect(page.all(".nblabel-grid-label").map((el) => el.textContent)).toEqual([
      "label number 12",
    ]);
    await page.press("Enter");
    expect(marked()).toEqual([["t0", "label number 12"]]);
    expect([field.value, document.activeElement?.getAttribute("role")]).toEqual(["", "listbox"]);
    await page.press("Z", { shiftKey: true });
    expect(marked()).toEqual([]);
    await page.press("5");
    expect(marked()).toEqual([["t0", "label number 5"]]);
  });
});

test("a task with accept and reject, whose keys are letters", async () => {
  const task = {
    kind: "binary",
    classes: ["accept", "reject"],
    keys: { accept: "a", reject: "x" },
    question: "spam?",
    label: "spam",
  };
  await open({ task }, "accept");
  await page.press("g");
  await bring([believed("a"), believed("b")], { of: "accept" });
  expect(title()).toBe("All of these are “spam”?");
  await page.press("x");
  await page.press("Enter");
  expect(said()).toEqual([
    ["a", "reject"],
    ["b", "accept"],
  ]);
});

test("a key that a label has means its command with Shift", async () => {
  await open({ task: { ...FEW, keys: { ham: "g", spam: "z" } } });
  await page.press("g");
  expect(said()).toEqual([["q", "ham"]]);
  await page.press("G", { shiftKey: true });
  await bring([believed("a"), believed("b")]);
  await page.press("z");
  expect(marked()).toEqual([["a", "spam"]]);
  await page.press("Z", { shiftKey: true });
  expect(marked()).toEqual([]);
});

test("tasks that one key does not answer have no such page", async () => {
  page = new Page({ task: { ...FEW, kind: "freetext" } });
  await page.items([part("q")]);
  for (const key of ["g", "m", "w"]) await page.press(key, {}, page.root);
  expect(page.controller.state.value.grid).toBeNull();
});

test("what data and labels say stays text", async () => {
  const evil = '<img src=x onerror="alert(1)"><script>alert(2)</script>';
  const classes = [evil, `"><b>${evil}`];
  await open({ task: { ...FEW, classes, keys: { [evil]: "1", [classes[1]!]: "2" } } }, evil);
  await page.press("g");
  const view = { kind: "text", data: { text: evil }, buffers: 0 };
  await bring([believed(evil, { name: evil, view }), believed("b", { label: null })]);
  await page.press("2");
  expect(marked()).toEqual([[evil, classes[1]]]);
  expect(title()).toContain(evil);
  expect(page.one(".nblabel-tile .nblabel-text")!.textContent).toBe(evil);
  await page.press("m");
  await bring([], { error: evil });
  expect(page.text).toContain(evil);
  expect(page.all(".nblabel-many-items :is(img, script, b)")).toEqual([]);
  await page.press("Escape");
  await page.press("w");
  page.one<HTMLInputElement>(".nblabel-grid-find")!.value = evil;
  await page.press("Enter");
  await bring([part("x", { view })], { of: evil });
  expect(page.all(".nblabel-many-items :is(img, script, b)")).toEqual([]);
});
