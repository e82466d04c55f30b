// @vitest-environment happy-dom
// The map in the place of the card: what the keys mean there, and what labels of points are.

import { afterEach, expect, test } from "vitest";
import type { MountedOverview, Overview, OverviewHost } from "../src/modules";
import { part } from "./helpers";
import { Page } from "./page";

const loaded = (globalThis as unknown as Record<symbol, Map<string, Promise<unknown>>>)[
  Symbol.for("nblabel.modules")
]!;

let page: Page;
let host: OverviewHost;
let heard: string[];

/** A map of which the test hears. */
async function open(classes: readonly string[] = ["a", "b"]): Promise<void> {
  heard = [];
  const panel: Overview = {
    mount: (_, given): MountedOverview => {
      host = given;
      return {
        changed: (version, items) => heard.push(`changed ${version ? "" : "nothing"}${items}`),
        press: ({ key }) => {
          if (/^Arrow/.test(key)) heard.push(key);
          return /^Arrow/.test(key);
        },
        label: (value) => heard.push(`label ${value}`),
        destroy: () => heard.push("destroyed"),
        keys: [{ keys: ["+"], does: "a larger circle" }],
      };
    },
  };
  loaded.set("panel-map/1", Promise.resolve(panel));
  const keys = Object.fromEntries(classes.map((name, k) => [name, String(k + 1)]));
  const task = { kind: "choice", classes, keys, question: null };
  page = new Page({ task, modules: { "panel-map": "1" } });
  await page.items([part("i0"), part("i1")], { training: "idle", version: 3 });
  await page.press("o", {}, page.root);
}
afterEach(() => page.close());

test("keys go to the map, and none to the item that it hides", async () => {
  await open();
  expect(page.item).toBe(null);
  for (const key of ["ArrowRight", "1", "s", "f", " "]) await page.press(key, {}, page.root);
  expect(heard.filter((one) => !one.startsWith("changed"))).toEqual(["ArrowRight", "label a"]);
  expect(page.said).toEqual([]);
  expect(page.all(".nblabel-command").map((el) => el.getAttribute("aria-label"))).not.toContain(
    "skip",
  );
  await page.press("?", {}, page.root);
  expect(page.text).toContain("a larger circle");
  await page.press("Escape");
  await page.press("o", {}, page.root);
  expect(heard.at(-1)).toBe("destroyed");
  expect(page.item).toBe("i0");
  expect(page.leaked).toEqual([]);
});

test("points that are labeled have an event each, and undo takes all back", async () => {
  await open();
  host.label(
    [
      { id: "x1", label: null },
      { id: "x2", label: "b" },
    ],
    "a",
  );
  expect(page.said.map((e) => [e.kind, e.item, e.value])).toEqual([
    ["label", "x1", "a"],
    ["label", "x2", "a"],
  ]);
  for (const { shown, seconds } of page.said) {
    expect(shown).toMatchObject({
      strategy: "map",
      audit: false,
      suggestion: null,
      visible: false,
    });
    expect(seconds).toBeLessThan(60);
  }
  await page.press("z", {}, page.root);
  const back = page.said.slice(2).map((e) => [e.kind, e.item]);
  expect(back.sort()).toEqual([
    ["retract", "x1"],
    ["retract", "x2"],
  ]);
});

test("a point is shown as its item, asked for by id; a selection opens on a page of many", async () => {
  await open();
  const box = document.createElement("div");
  const shown = host.show(box, "x7");
  const request = page.sent.filter(({ type }) => type === "find").at(-1)!;
  expect(request).toMatchObject({ rule: "ids", ids: ["x7"], strategy: "map", n: 1 });
  const view = { kind: "text", data: { text: "<b>seven</b>" }, buffers: 0 };
  const found = { of: "", items: [part("x7", { view })], left: 0, counts: {}, pending: false };
  await page.hear({ v: 1, type: "found", re: request.id, ...found, error: null });
  expect(await shown).toContain("<b>seven</b>");
  expect(box.textContent).toBe("<b>seven</b>");
  expect(box.querySelector("b")).toBe(null);
  await host.show(box, null);
  expect(box.textContent).toBe("");
  host.open(["x1", "x2"]);
  await page.welcome();
  expect(page.sent.filter(({ type }) => type === "find").at(-1)).toMatchObject({
    ids: ["x1", "x2"],
  });
  expect(page.one<HTMLElement>(".nblabel-overview")?.hidden).toBe(true);
});

test("what is judged blind is not shown beside others", async () => {
  await open();
  const shown = host.show(document.createElement("div"), "x7");
  const refused = expect(shown).rejects.toThrow("asked by itself");
  const request = page.sent.filter(({ type }) => type === "find").at(-1)!;
  const none = { of: "", items: [], left: 0, counts: {}, pending: false, error: null };
  await page.hear({ v: 1, type: "found", re: request.id, ...none });
  await refused;
});
