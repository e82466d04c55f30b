// @vitest-environment happy-dom
// The panel of a certificate: what it says, and what its keys do.

import { afterEach, beforeEach, describe, expect, test } from "vitest";
import certify, { drawn, share } from "../src/panels/certify";
import grid from "../src/panels/grid";
import type { CertifyPart, OfferPart, Plan, Planned } from "../src/protocol";
import { MANY, part, status } from "./helpers";
import { Page } from "./page";

const RUNNING: CertifyPart = {
  id: "c0ffee11",
  state: "verifying",
  goal: 0.05,
  bound: 0.125,
  audited: 40,
  errors: 1,
  left: 63,
  machine: 1500,
  advice: "63 more without an error, and it is certified.",
  curve: [
    [0, 0.9],
    [20, 0.25],
    [40, 0.125],
  ],
  blind: true,
};
const REACHED: CertifyPart = {
  ...RUNNING,
  state: "certified",
  bound: 0.049,
  audited: 103,
  left: null,
  machine: 1437,
  advice: "95 % confidence that of all items at most 5 % are labeled wrong.",
  curve: [...RUNNING.curve, [103, 0.049]],
};

const loaded = (globalThis as unknown as Record<symbol, Map<string, Promise<unknown>>>)[
  Symbol.for("nblabel.modules")
]!;
let page: Page;
beforeEach(() => void loaded.set("panel-certify/1", Promise.resolve(certify)));
afterEach(() => page.close());

const open = async (part_: CertifyPart | null, task = {}) => {
  page = new Page({ ...task, modules: { "panel-certify": "1", "panel-grid": "1" } });
  await page.items([part("a"), part("b"), part("c")], { certify: part_ });
  page.focus();
  await page.quiet({ certify: part_, left: 3 });
  return page;
};
const panel = () => page.one(".nblabel-certify");
const closes = () =>
  page.sent.flatMap((message) => {
    const { close } = message as { close?: string | null };
    return close ? [close] : [];
  });

test("there is no panel without a certificate", async () => {
  await open(null);
  expect(panel()).toBeNull();
});

test("while it runs it says what to do, and draws the bound for eyes and ears", async () => {
  await open(RUNNING);
  expect(panel()?.textContent).toContain(RUNNING.advice);
  const numbers = page.all(".nblabel-certify-numbers b").map((el) => el.textContent);
  expect(numbers).toEqual(["40", "1", "≤ 13 %", "1,500"]);
  const picture = panel()?.querySelector('svg[role="img"]');
  expect(picture?.getAttribute("aria-label")).toBe(
    "Upper bound on the share of wrong labels: 90 % before the first look, 13 % after 40; " +
      "the goal is 5.0 %.",
  );
  await page.ack({ certify: { ...RUNNING, audited: 41, bound: 0.12 } });
  expect(page.all(".nblabel-certify-numbers b")[0]?.textContent).toBe("41");
});

describe("giving up", () => {
  test("asks first, and Escape goes on", async () => {
    await open(RUNNING);
    await page.press("x");
    expect(panel()?.textContent).toContain("Give up?");
    await page.press("Escape");
    expect(panel()?.textContent).toContain(RUNNING.advice);
    await page.press("x");
    await page.press("x", { repeat: true });
    expect(closes()).toEqual([]);
    await page.press("x");
    expect(closes()).toEqual(["c0ffee11"]);
    expect(page.said).toEqual([]);
  });

  test("by mouse, and the keys come back", async () => {
    await open(RUNNING);
    await page.click(page.button(/give up/));
    expect(document.activeElement).toBe(page.root);
    await page.click(page.button(/give up/));
    await page.quiet({ certify: RUNNING, left: 3 });
    expect(closes()).toEqual(["c0ffee11"]);
  });

  test("takes Shift where letters type names", async () => {
    await open(RUNNING, { task: MANY });
    await page.press("X", { shiftKey: true });
    expect(panel()?.textContent).toContain("Give up?");
  });

  test("a label's own key stays its own, and this one takes Shift", async () => {
    const task = { kind: "choice", classes: ["u", "v"], keys: { u: "x", v: "2" }, question: null };
    await open(RUNNING, { task });
    await page.press("x");
    expect(page.said.map((event) => event.value)).toEqual(["u"]);
    expect(panel()?.textContent).not.toContain("Give up?");
    await page.press("X", { shiftKey: true });
    expect(panel()?.textContent).toContain("Give up?");
  });
});

const offer = (max_error: number, blind: boolean, audits: number): OfferPart => ({
  ...{ max_error, blind, machine: 600, audits, by_hand: 120, begins: audits > 0 },
  advice: audits ? `It takes ${audits}.` : "Too few.",
});
const OFFERS: readonly OfferPart[] = [
  ...[offer(0.01, true, 0), offer(0.01, false, 0), offer(0.02, true, 180), offer(0.02, false, 240)],
  ...[offer(0.05, true, 90), offer(0.05, false, 130)],
];
const plans = () => page.sent.filter(({ type }) => type === "plan") as unknown as Plan[];
/** The kernel answers what a certificate would take, or that one was begun. */
const plan = (change: Partial<Planned>, running: CertifyPart | null = null) => {
  const asked = plans().at(-1)!;
  const about = status({ certify: running, left: 3 });
  const rest = { confidence: 0.95, offers: [], error: null, status: about };
  return page.hear({ v: 1, type: "planned", re: asked.id, ...rest, ...change });
};
const rows = () =>
  page
    .all(".nblabel-offers tr")
    .map((row) => [...row.querySelectorAll("th, td")].map((cell) => cell.textContent?.trim()));

describe("what a certificate would take", () => {
  beforeEach(() => open(null));

  test("is told on its key, and begun blind by another", async () => {
    await page.press("x");
    expect(panel()?.textContent).toContain("Reckoning");
    expect(plans().map(({ begin, blind }) => [begin, blind])).toEqual([[null, true]]);
    await plan({ offers: OFFERS });
    expect(rows().slice(1)).toEqual([
      ["1 % wrong", "–", "–", "needs labels"],
      ["2 % wrong", "600", "120", "about 180 blind about 240 on pages"],
      ["5 % wrong", "600", "120", "about 90 blind about 130 on pages"],
    ]);
    expect(panel()?.textContent).toContain("95 % confidence");
    // The first that can be begun has the focus, and says what to do; arrows go to the others.
    expect(panel()?.textContent).toContain("It takes 180.");
    const at = () => document.activeElement?.getAttribute("aria-label") ?? "";
    expect(at()).toMatch(/^at most 2 % wrong: verify one by one/);
    await page.press("ArrowDown");
    expect(at()).toMatch(/^at most 5 % wrong: verify one by one/);
    await page.press("ArrowRight");
    expect(at()).toMatch(/^at most 5 % wrong: verify on pages/);
    expect(panel()?.textContent).toContain("It takes 130.");
    await page.press("ArrowUp");
    await page.press("ArrowLeft");
    await page.click(document.activeElement as HTMLElement);
    expect(plans().at(-1)).toMatchObject({ begin: 0.02, blind: true });
    await plan({}, RUNNING);
    expect(panel()?.textContent).toContain(RUNNING.advice);
    expect(page.all(".nblabel-offers tr").every((row) => row.closest("[hidden]"))).toBe(true);
    expect(document.activeElement).toBe(page.root);
    expect(page.said).toEqual([]);
  });

  test("on pages: the first one opens at once", async () => {
    await page.press("x");
    await plan({ offers: OFFERS });
    await page.click(page.button(/^about 240 on pages/));
    expect(plans().at(-1)).toMatchObject({ begin: 0.02, blind: false });
    await plan({}, { ...RUNNING, blind: false });
    expect(page.controller.state.value.grid?.rule.rule).toBe("certify");
    expect(page.button(/verify/)).toBeTruthy();
  });

  test("too little is known yet: it says what to do, and Escape goes back", async () => {
    await page.press("x");
    await plan({ offers: [{ ...OFFERS[0]!, advice: "The model needs labels." }] });
    expect(panel()?.textContent).toContain("The model needs labels.");
    expect(rows()).toEqual([]);
    await page.press("Escape");
    expect(panel()).toBeNull();
    await page.press("x");
    await plan({ error: "There is no model yet." });
    expect(panel()?.textContent).toContain("There is no model yet.");
    await page.press("x");
    expect(panel()).toBeNull();
  });

  test("an error when it is begun is shown", async () => {
    await page.press("x");
    await plan({ offers: OFFERS });
    await page.click(page.button(/^about 180 blind/));
    await plan({ error: "Attempt c0 is running, on other terms." });
    expect(panel()?.textContent).toContain("on other terms");
  });
});

test("one with suggestions is verified on pages, by the key of pages", async () => {
  await open({ ...RUNNING, blind: false });
  await page.press("g");
  expect(page.controller.state.value.grid?.rule.rule).toBe("certify");
  await page.press("x"); // its panel is there, too
  expect(panel()?.textContent).toContain("Give up?");
  await page.press("x");
  expect(closes()).toEqual(["c0ffee11"]);
});

test("what is typed on a page is no command of the panel", async () => {
  await open(RUNNING);
  loaded.set("panel-grid/1", Promise.resolve(grid));
  page.controller.act({
    type: "open",
    rule: { rule: "search", of: "", strategy: "search", ids: [], least: false },
  });
  await page.quiet({ certify: RUNNING, left: 3 });
  const field = page.one<HTMLInputElement>(".nblabel-grid-find")!;
  field.focus();
  for (let k = 0; k < 2; k += 1) {
    const press = new KeyboardEvent("keydown", { key: "x", bubbles: true, cancelable: true });
    field.dispatchEvent(press);
    expect(press.defaultPrevented).toBe(false);
  }
  expect(panel()?.textContent).not.toContain("Give up?");
  expect(closes()).toEqual([]);
});

test("when it is reached it says the sentence once, until it is closed", async () => {
  await open(RUNNING);
  await page.ack({ certify: REACHED });
  expect(panel()?.textContent).toContain(REACHED.advice);
  expect(panel()?.textContent).toContain("1,437");
  expect(page.controller.state.value.said).toContain("Certified.");
  await page.press("Escape");
  expect(panel()).toBeNull();
  await page.ack({ certify: REACHED });
  expect(panel()).toBeNull();
  await page.ack({ certify: { ...RUNNING, id: "another" } });
  expect(panel()).not.toBeNull();
});

test("the curve falls towards the goal, within its box", () => {
  for (const shown of [RUNNING, REACHED, { ...RUNNING, curve: [[0, 1]], audited: 0, left: 9 }]) {
    const { points, goal } = drawn(shown as CertifyPart);
    const heights = points.map(([, y]) => y);
    expect(heights).toEqual([...heights].sort((a, b) => a - b));
    for (const y of [...heights, goal]) expect(y >= 0 && y <= 84).toBe(true);
    const [x, y] = points.at(-1)!;
    expect(x).toBeLessThanOrEqual(252);
    if (shown.state === "certified") expect(y).toBeGreaterThanOrEqual(goal);
    else expect(y).toBeLessThan(goal);
  }
  expect([0.9, 0.0995, 0.02, 0.0051].map(share)).toEqual(["90 %", "10 %", "2.0 %", "0.51 %"]);
});

test("instructions are there as written until their module has come", async () => {
  page = new Page({ instructions: "Read **all** <b onclick=x()>of it</b>" });
  await page.items([part("a")]);
  expect(page.one(".nblabel-instructions")?.textContent).toContain("**all**");
});
