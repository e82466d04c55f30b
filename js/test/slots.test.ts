// @vitest-environment happy-dom
// Editors and looks that are fetched: mounted when they come, first to hear the keys.

import { afterEach, expect, test } from "vitest";
import editor from "../src/editors/multilabel";
import type { TaskSpec } from "../src/keymap";
import type { Look, Shown } from "../src/modules";
import { part, suggestion } from "./helpers";
import { Page } from "./page";

const TASK: TaskSpec = {
  kind: "multilabel",
  classes: ["red", "green", "blue"],
  keys: { red: "1", green: "2", blue: "3" },
  question: null,
  least: 1,
  most: 2,
  exclusive: [],
  parents: {},
};

const loaded = (globalThis as unknown as Record<symbol, Map<string, Promise<unknown>>>)[
  Symbol.for("nblabel.modules")
]!;

let page: Page;
afterEach(() => page.close());

test("an editor is mounted, begins with the suggestion, and its keys come first", async () => {
  loaded.set("editor-multilabel/1", Promise.resolve(editor));
  page = new Page({ task: TASK, modules: { "editor-multilabel": "1" } });
  const seen = { ...suggestion("red"), label: ["red"] };
  await page.items([part("a", { suggestion: seen }), part("b")]);
  const on = () =>
    [...page.el.querySelectorAll('[aria-checked="true"]')].map((el) =>
      el.getAttribute("data-label"),
    );
  expect(on()).toEqual(["red"]);
  await page.press("3", {}, page.root);
  expect(on()).toEqual(["red", "blue"]);
  await page.press("Enter", {}, page.root);
  expect(page.said.map((e) => [e.kind, e.item, e.value])).toEqual([
    ["label", "a", ["red", "blue"]],
  ]);
  expect(on()).toEqual([]);
  await page.press("Enter", {}, page.root);
  expect(page.said).toHaveLength(1);
  expect(page.el.querySelector(".nblabel-wrong")?.textContent).toBe("Choose at least one label.");
  await page.press("z", {}, page.root);
  expect(page.said.at(-1)?.kind).toBe("retract");
  expect(page.el.querySelector(".nblabel-card")?.getAttribute("data-item")).toBe("a");
});

test("an editor that cannot be had is said, and skipping works", async () => {
  page = new Page({ task: TASK });
  await page.items([part("a"), part("b")]);
  const request = page.sent.find((message) => message.type === "fetch")!;
  expect(request).toMatchObject({ name: "editor-multilabel" });
  await page.hear({ v: 1, type: "module", re: request.id, name: "editor-multilabel", text: null });
  expect(page.el.querySelector('[role="alert"]')?.textContent).toContain("cannot be loaded");
  await page.press("s", {}, page.root);
  expect(page.said.map((e) => [e.kind, e.item])).toEqual([["skip", "a"]]);
});

test("a look shows what the core does not know, and hears the keys that are left", async () => {
  const seen: Shown[] = [];
  const keys: string[] = [];
  const look: Look = {
    mount: (el) => ({
      show: (shown) => {
        seen.push(shown);
        el.textContent = String(shown.view.data["tune"]);
      },
      press: ({ key }) => {
        keys.push(key);
        return key === "p";
      },
      destroy: () => el.replaceChildren(),
    }),
  };
  loaded.set("look-tune/1", Promise.resolve(look));
  page = new Page({ task: { ...TASK, kind: "choice" }, modules: { "look-tune": "1" } });
  const view = { kind: "tune", data: { tune: "la" }, buffers: 0 };
  await page.items([part("a", { view }), part("b", { view: { ...view, data: { tune: "li" } } })]);
  expect(page.el.querySelector("[data-look]")?.textContent).toBe("la");
  await page.press("p", {}, page.root);
  await page.press("1", {}, page.root);
  expect(keys).toEqual(["p"]);
  expect(page.said.map((e) => e.value)).toEqual(["red"]);
  expect(page.el.querySelector("[data-look]")?.textContent).toBe("li");
  expect(seen.map((shown) => shown.id)).toEqual(["a", "b"]);
});

test("of two looks beside each other the one with the focus hears the keys, else the first", async () => {
  const heard: string[] = [];
  const look: Look = {
    mount: (el) => {
      const button = document.createElement("button");
      let name = "";
      el.append(button);
      return {
        keys: [{ keys: ["p"], does: "play" }],
        show: (shown) => (name = button.textContent = String(shown.view.data["tune"])),
        press: ({ key }) => heard.push(`${name} ${key}`) > 0,
        destroy: () => button.remove(),
      };
    },
  };
  loaded.set("look-tunes/1", Promise.resolve(look));
  page = new Page({ task: { ...TASK, kind: "choice" }, modules: { "look-tunes": "1" } });
  const side = (tune: string) => ({ kind: "tunes", data: { tune }, buffers: 0 });
  const view = { kind: "pair", data: { left: side("la"), right: side("li") }, buffers: 0 };
  await page.items([part("a", { view }), part("b", { view })]);
  const right = page.el.querySelector<HTMLElement>('[aria-label="right"] button')!;
  await page.press("p", {}, page.root);
  await page.press("p", {}, right);
  expect(heard).toEqual(["la p", "li p"]);
  await page.press("?", {}, page.root);
  expect(page.el.textContent).toContain("the buttons of the other one");
});
