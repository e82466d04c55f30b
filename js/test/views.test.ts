// @vitest-environment happy-dom
// What stands on the screen, and what keys and clicks do there.

import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Config } from "../src/controller";
import { leastWidth } from "../src/share";
import { Controller } from "../src/controller";
import { bindings, keyCap, type TaskSpec } from "../src/keymap";
import type { EventPart, ItemPart, StatusPart } from "../src/protocol";
import {
  FEW,
  FakeWorld,
  MANY,
  SHOWN,
  config,
  part,
  status,
  suggestion,
  welcomeMessage,
  windowMessage,
} from "./helpers";
import { Page, settle } from "./page";

const labels = (events: readonly EventPart[]) => events.map((e) => [e.kind, e.item, e.value]);

let page: Page;
const open = (change: Partial<Config> = {}) => (page = new Page(change));
const task = (classes: readonly string[], change: Partial<TaskSpec> = {}): TaskSpec => ({
  ...FEW,
  classes,
  keys: Object.fromEntries(classes.slice(0, 9).map((name, k) => [name, String(k + 1)])),
  ...change,
});

beforeEach(() => {
  vi.stubGlobal("matchMedia", () => ({ matches: false, addEventListener: () => undefined }));
  Element.prototype.scrollIntoView ??= () => undefined;
});
afterEach(() => {
  page?.close();
  document.body.innerHTML = "";
  vi.unstubAllGlobals();
});

describe("an item", () => {
  test("stands on the screen with its id, text, reason and name", async () => {
    await open().items([part("i0", { reason: "the model is unsure", name: "row 7" })]);
    expect(page.root.getAttribute("data-state")).toBe("ready");
    expect(page.item).toBe("i0");
    expect(page.one("[data-item]")?.getAttribute("data-kind")).toBe("text");
    expect(page.one(".nblabel-text")?.textContent).toBe("text of i0");
    expect(page.text).toContain("the model is unsure");
    expect(page.text).toContain("item row 7");
  });

  test("with marks: the words that speak for the suggestion", async () => {
    const marked = part("i0", {
      view: { kind: "text", data: { text: "🎉 free money" }, buffers: 0 },
      suggestion: suggestion("spam", { marks: [[3, 7, 0.5]] }),
    });
    await open().items([marked]);
    const mark = page.one("mark")!;
    expect(mark.textContent).toBe("free");
    mark.dispatchEvent(new Event("pointermove", { bubbles: true }));
    expect(mark.title).toBe("speaks for spam");
    expect(page.one(".nblabel-text")?.textContent).toBe("🎉 free money");
  });

  test("says what it is: flagged, labeled, noted, its suggestion hidden by chance", async () => {
    const odd = part("i0", {
      flagged: true,
      label: "ham",
      note: "look at this",
      suggestion: suggestion("spam"),
      shown: { ...SHOWN, suggestion: "spam", visible: false },
    });
    await open().items([odd]);
    for (const text of ["flagged", "labeled ham", "look at this", "hidden by chance"]) {
      expect(page.text).toContain(text);
    }
    expect(page.one(".nblabel-suggested")).toBeNull();
  });

  test("that is empty, white or missing says so", async () => {
    const text = (text: string) => ({ kind: "text", data: { text }, buffers: 0 });
    await open().items([
      part("a", { view: text("") }),
      part("b", { view: text("  \n") }),
      part("c", { view: { kind: "missing", data: { text: "NaN" }, buffers: 0 } }),
      part("d", { view: { kind: "broken", data: { title: "Oh", detail: "Trace" }, buffers: 0 } }),
      part("e", { view: { kind: "never heard of", data: {}, buffers: 0 } }),
    ]);
    page.focus();
    for (const text of [
      "empty text",
      "only white space",
      "nothing here NaN",
      "Oh",
      "This item cannot be shown",
    ]) {
      expect(page.text).toContain(text);
      await page.press("s");
    }
  });

  test("as long as a book is shown in part first", async () => {
    const text = "x".repeat(30_000);
    await open().items([part("a", { view: { kind: "text", data: { text }, buffers: 0 } })]);
    expect(page.one(".nblabel-text")!.textContent!.length).toBeLessThan(21_000);
    await page.click(page.button("show all 30,000 characters"));
    expect(page.one(".nblabel-text")?.textContent).toBe(text);
  });

  test("as a row of fields", async () => {
    const fields = [
      { name: "age", text: "31", type: "number" },
      { name: "<b>city</b>", text: "", type: "missing" },
    ];
    await open().items([part("a", { view: { kind: "row", data: { fields }, buffers: 0 } })]);
    expect(page.all("th").map((cell) => cell.textContent)).toEqual(["age", "<b>city</b>"]);
    expect(page.all("td").map((cell) => cell.textContent)).toEqual(["31", "missing"]);
    expect(page.one("th b")).toBeNull();
  });

  test("as an image, from its own bytes", async () => {
    const made: Blob[] = [];
    vi.spyOn(URL, "createObjectURL").mockImplementation((blob) => {
      made.push(blob as Blob);
      return "blob:made";
    });
    const revoked = vi.spyOn(URL, "revokeObjectURL").mockImplementation(() => undefined);
    const whole = new Uint8Array([9, 9, 1, 2, 3]);
    const data = { mime: "image/png", name: "cat.png", width: 8, height: 8 };
    const image = part("pic", { view: { kind: "image", data, buffers: 1 } });
    await open().items([image], {}, [new DataView(whole.buffer, 2, 3)]);
    const img = page.one<HTMLImageElement>(".nblabel-image img")!;
    expect(img.src).toBe("blob:made");
    expect(img.alt).toBe("image cat.png");
    expect(img.className).toBe("nblabel-pixels");
    expect([...new Uint8Array(await made[0]!.arrayBuffer())]).toEqual([1, 2, 3]);
    img.dispatchEvent(new Event("error"));
    await settle();
    expect(page.text).toContain("This image cannot be shown");
    page.controller.close();
    expect(revoked).toHaveBeenCalledWith("blob:made");
  });
});

describe("the buttons of labels", () => {
  const column = async (classes: readonly string[]) => {
    await open({ task: task(classes) }).items([part("i0")]);
    return page.one<HTMLElement>(".nblabel-labels")?.style.getPropertyValue("--nbl-column");
  };

  afterEach(() => void vi.restoreAllMocks());

  test("are as wide as what is drawn of the widest name, whatever its letters are", async () => {
    const wide: Record<string, number> = { ニュース: 56, iiiiiiii: 30.2, W: 14 };
    vi.spyOn(HTMLCanvasElement.prototype, "getContext").mockReturnValue({
      measureText: (text: string) => ({ width: wide[text] ?? 1000 }),
    } as unknown as CanvasRenderingContext2D & null);
    expect(await column(["W", "iiiiiiii"])).toBe(leastWidth(2, 146));
    page.close();
    expect(await column(["W", "ニュース"])).toBe(leastWidth(2, 171));
    page.close();
    expect(await column(["W", "too long for any column"])).toBe(leastWidth(2, 220));
  });

  test("have the usual width where nothing can be drawn", async () => {
    vi.spyOn(HTMLCanvasElement.prototype, "getContext").mockReturnValue(null);
    expect(await column(["W", "iiiiiiii"])).toBe("");
  });
});

describe("data is not code", () => {
  test("an item that breaks what shows it says so, and the next one is shown", async () => {
    const side = { kind: "several", data: {}, buffers: 0 };
    const view = { kind: "pair", data: { left: side }, buffers: 0 };
    await open({ task: FEW }).items([part("a", { view }), part("b")]);
    expect(page.text).toContain("This item cannot be shown");
    await page.press("s", {}, page.root);
    expect([page.item, page.one(".nblabel-text")?.textContent]).toEqual(["b", "text of b"]);
    expect(page.text).not.toContain("cannot be shown");
  });

  const HOSTILE = `<script>window.hacked = 1</script><img src=x onerror="window.hacked = 2">`;

  test("in a text, a reason, a name, a note and a label", async () => {
    const evil = part("i0", {
      view: { kind: "text", data: { text: HOSTILE }, buffers: 0 },
      reason: HOSTILE,
      name: HOSTILE,
      note: HOSTILE,
      label: HOSTILE,
      suggestion: suggestion(HOSTILE),
    });
    await open({ task: task([HOSTILE, "b"], { question: HOSTILE }) }).items([evil], {
      store: `/tmp/${HOSTILE}`,
      warning: HOSTILE,
      counts: { [HOSTILE]: 3 },
    });
    expect(page.one(".nblabel-text")?.textContent).toBe(HOSTILE);
    expect(page.one(".nblabel-question")?.textContent).toBe(HOSTILE);
    expect(page.one(".nblabel-name")?.textContent).toBe(HOSTILE);
    await page.press("?", {}, page.root);
    expect(page.root.querySelector("script, img, [onerror]")).toBeNull();
    expect(Reflect.get(window, "hacked")).toBeUndefined();
  });

  // What is left of markup is tested in sanitize.test.ts and, with a real browser, in tests/browser.
  test("html stands in a frame that runs nothing and fetches nothing", async () => {
    const html = "<h2>Head</h2>";
    await open().items([part("i0", { view: { kind: "html", data: { html }, buffers: 0 } })]);
    const frame = page.one<HTMLIFrameElement>("iframe")!;
    expect(frame.getAttribute("sandbox")).toBe("allow-same-origin");
    expect(frame.getAttribute("referrerpolicy")).toBe("no-referrer");
    const source = frame.getAttribute("srcdoc")!;
    expect(source).toContain("Head");
    const policy = /Content-Security-Policy" content="([^"]*)"/.exec(source)?.[1] ?? "";
    expect(policy).toMatch(/^default-src 'none'/);
    expect(policy).not.toMatch(/script|https?:|\*/);
    expect(source.indexOf("Content-Security-Policy")).toBeLessThan(source.indexOf("Head"));
    expect(page.one(".nblabel-trusted")).toBeNull();
  });

  test.each([
    ["<p>plain</p>", false],
    ['<p style="margin: 1px">indented</p>', false],
    ['<div><p style="color: navy">navy</p></div>', true],
    ['<table><tr><td bgcolor="#eee">gray</td></tr></table>', true],
    ['<svg><path fill="#000" d="M0 0h1v1z"/></svg>', true],
  ])("html stands on a light sheet if it has colors of its own: %s", async (html, light) => {
    await open().items([part("i0", { view: { kind: "html", data: { html }, buffers: 0 } })]);
    const source = page.one("iframe")!.getAttribute("srcdoc")!;
    expect(source.includes("background:white;color:black")).toBe(light);
  });

  test("trusted html runs in an origin of its own, and is marked", async () => {
    const data = { html: "<h2>Head</h2><script>1</script>", trusted: true };
    await open().items([part("i0", { view: { kind: "html", data, buffers: 0 } })]);
    const frame = page.one<HTMLIFrameElement>("iframe")!;
    expect(frame.getAttribute("sandbox")).toBe("allow-scripts");
    expect(frame.getAttribute("srcdoc")).toContain(data.html);
    expect(page.one(".nblabel-trusted")!.textContent).toBe("⚠ trusted HTML");
  });

  test.each(["true", 1, null])("html that says %j of its trust has none", async (trusted) => {
    const data = { html: "<h2>Head</h2>", trusted };
    await open().items([part("i0", { view: { kind: "html", data, buffers: 0 } })]);
    expect(page.one("iframe")!.getAttribute("sandbox")).toBe("allow-same-origin");
    expect(page.one(".nblabel-trusted")).toBeNull();
  });
});

describe("keys", () => {
  const three = () => ["i0", "i1", "i2"].map((id) => part(id));

  test("act with the focus inside, and only there", async () => {
    await open().items(three());
    await page.press("1", {}, document.body);
    await page.press("1", {}, page.host);
    expect(page.said).toEqual([]);
    page.focus();
    await page.press("1");
    expect(labels(page.said)).toEqual([["label", "i0", "ham"]]);
    expect(page.item).toBe("i1");
  });

  test("do what the table says", async () => {
    await open().items(three());
    page.focus();
    for (const key of ["2", "s", "z", "f", "ArrowLeft", "1", "ArrowRight", "z"]) {
      await page.press(key);
    }
    const [first, second, , flag, relabel] = page.said.map((event) => event.id);
    expect(labels(page.said)).toEqual([
      ["label", "i0", "spam"],
      ["skip", "i1", null],
      ["retract", "i1", second],
      ["flag", "i1", true],
      ["label", "i0", "ham"],
      ["retract", "i0", relabel],
    ]);
    expect(first && flag).toBeTruthy();
    expect(page.item).toBe("i0");
    expect(page.text).toContain("labeled spam");
  });

  test("stay inside, handled or not, except those that belong to the page", async () => {
    await open().items(three());
    page.leaked.length = 0;
    page.focus();
    for (const key of ["1", "s", "x", "d", "Enter", "Escape", "ArrowDown", "Delete", "Tab", "F"]) {
      await page.press(key);
    }
    await page.press("Enter", { shiftKey: true });
    await page.press("x", { ctrlKey: true });
    expect(page.leaked).toEqual([]);
    for (const [key, init] of [
      ["s", { ctrlKey: true }],
      ["r", { metaKey: true }],
      ["F5", {}],
    ] as const) {
      const said = page.said.length;
      const event = await page.press(key, init);
      expect(page.leaked.pop()).toBe(`keydown ${key}`);
      expect(event.defaultPrevented).toBe(false);
      expect(page.said.length).toBe(said);
    }
  });

  test("that mean something are used up; Tab still moves on", async () => {
    await open().items(three());
    page.focus();
    expect((await page.press(" ")).defaultPrevented).toBe(true);
    expect((await page.press("ArrowLeft")).defaultPrevented).toBe(true);
    expect((await page.press("Tab")).defaultPrevented).toBe(false);
    expect((await page.press("q")).defaultPrevented).toBe(false);
  });

  test("held down label once, and take back again and again", async () => {
    await open().items(three());
    page.focus();
    await page.press("1");
    await page.press("1", { repeat: true });
    await page.press("s", { repeat: true });
    expect(page.said.length).toBe(1);
    await page.press("1");
    await page.press("z", { repeat: true });
    await page.press("z", { repeat: true });
    expect(page.item).toBe("i0");
  });

  test("while composing do nothing", async () => {
    await open().items(three());
    page.focus();
    await page.press("1", { isComposing: true });
    expect(page.said).toEqual([]);
    expect(page.leaked).toEqual([]);
  });

  test("Enter and space on a button press it, and are no command", async () => {
    await open().items([part("i0", { suggestion: suggestion("spam") })]);
    const button = page.button(/^.*undo/);
    button.focus();
    for (const key of ["Enter", " "]) {
      expect((await page.press(key)).defaultPrevented).toBe(false);
    }
    expect(page.said).toEqual([]);
    expect(page.leaked).toEqual([]);
  });

  test("accept the suggestion, if one is seen", async () => {
    await open().items([part("i0", { suggestion: suggestion("spam") }), part("i1")]);
    page.focus();
    await page.press(" ");
    await page.press("Enter");
    expect(labels(page.said)).toEqual([["label", "i0", "spam"]]);
    await vi.waitFor(() => expect(page.one("[aria-live]")?.textContent).toContain("no suggestion"));
  });

  test("retrain, hide suggestions, fold instructions", async () => {
    await open({ instructions: "Read this." }).items([
      part("i0", { suggestion: suggestion("spam") }),
    ]);
    page.focus();
    await page.press("i");
    expect(page.one(".nblabel-instructions")).toBeNull();
    expect(page.one(".nblabel-suggested")).not.toBeNull();
    await page.press("h");
    expect(page.one(".nblabel-suggested")).toBeNull();
    await page.quiet({ left: 1 });
    await page.press("r");
    expect(page.sent.at(-1)).toMatchObject({ type: "want", retrain: true, n: 0 });
  });
});

test("a rare label that is suggested where a common one is likelier says so", async () => {
  const both = (own: number) =>
    suggestion("spam", {
      confidence: own,
      ranking: [
        ["spam", own],
        ["ham", 1 - own],
      ],
    });
  await open().items([
    part("i0", { suggestion: both(0.36) }),
    part("i1", { suggestion: both(0.64) }),
  ]);
  expect(page.text).toContain("suggested by its signs, though rare");
  expect(page.controller.state.value.said).toContain("Suggested spam, 36 %, a rare label.");
  page.focus();
  await page.press(" ");
  expect(page.item).toBe("i1");
  expect(page.text).not.toContain("though rare");
  expect(page.controller.state.value.said).toContain("Suggested spam, 64 %.");
});

describe("every command has a control", () => {
  test("that can be clicked, and the focus comes back", async () => {
    const items = ["i0", "i1", "i2", "i3"].map((id) =>
      part(id, {
        suggestion: suggestion("spam", {
          ranking: [
            ["spam", 0.9],
            ["ham", 0.1],
          ],
        }),
      }),
    );
    await open({ instructions: "Read." }).items(items);
    await page.click(page.one('[data-label="ham"]')!);
    expect(document.activeElement).toBe(page.root);
    // The suggested label carries the key that accepts it.
    const accept = page.one(".nblabel-offered")!.closest("button")!;
    expect(accept.getAttribute("data-label")).toBe("spam");
    await page.click(accept);
    for (const name of [/skip/, /undo/, /flag/, /back/]) await page.click(page.button(name));
    await page.click(page.one('[aria-label="forward"]') ?? page.button(/forward/));
    expect(page.said.map((event) => event.kind)).toEqual([
      "label",
      "label",
      "skip",
      "retract",
      "flag",
    ]);
    await page.click(page.button(/instructions/));
    expect(page.one(".nblabel-instructions")).toBeNull();
    await page.click(page.button(/suggestions/));
    expect(page.controller.state.value.suggest).toBe(false);
    await page.click(page.button(/model/));
    await page.quiet({ left: 2 });
    expect(page.sent.some((message) => Reflect.get(message, "retrain") === true)).toBe(true);
    await page.click(page.button(/keys/));
    expect(page.one('[role="dialog"]')).not.toBeNull();
    await page.click(page.button(/close/));
    expect(page.one('[role="dialog"]')).toBeNull();
    expect(document.activeElement).toBe(page.root);
    await page.click(page.button(/note/));
    expect(page.one("textarea")).not.toBeNull();
    expect(page.leaked).toEqual([]);
  });

  test("the sheet of keys lists every binding and every label that has a key", async () => {
    for (const spec of [FEW, MANY]) {
      await open({ task: spec }).items([part("i0")]);
      page.focus();
      await page.press("?");
      const sheet = page.one('[role="dialog"]')!;
      const caps = [...sheet.querySelectorAll("kbd")].map((kbd) => kbd.textContent);
      for (const { command, keys, does } of bindings(spec)) {
        if (command === "search" && spec === FEW) continue; // there is no field to type in
        expect(sheet.textContent).toContain(does);
        for (const key of keys) expect(caps).toContain(keyCap(key));
      }
      for (const name of Object.keys(spec.keys)) expect(sheet.textContent).toContain(name);
      expect(sheet.contains(document.activeElement)).toBe(true);
      await page.press("Escape");
      expect(page.one('[role="dialog"]')).toBeNull();
      expect(document.activeElement).toBe(page.root);
      page.close();
    }
  });
});

describe("a note", () => {
  const note = async (text: string) => {
    await open().items([part("i0"), part("i1")]);
    page.focus();
    await page.press("n");
    const area = page.one<HTMLTextAreaElement>("textarea")!;
    expect(document.activeElement).toBe(area);
    area.value = text;
    return area;
  };

  test("is kept by Enter", async () => {
    await note("1z s?");
    await page.press("Enter");
    expect(labels(page.said)).toEqual([["note", "i0", "1z s?"]]);
    expect(page.one("textarea")).toBeNull();
    expect(page.text).toContain("1z s?");
    expect(document.activeElement).toBe(page.root);
  });

  test("not while composing, nor by Shift+Enter; letters are no commands", async () => {
    await note("に");
    await page.press("Enter", { isComposing: true });
    await page.press("Enter", { shiftKey: true });
    for (const key of ["1", "s", "z", "?", " "]) {
      expect((await page.press(key)).defaultPrevented).toBe(false);
    }
    expect(page.said).toEqual([]);
    expect(page.one("textarea")).not.toBeNull();
    expect(page.leaked).toEqual([]);
  });

  test("is dropped by Escape and by its button, kept by its other", async () => {
    await note("x");
    await page.press("Escape");
    expect(page.one("textarea")).toBeNull();
    await page.press("n");
    await page.click(page.button("cancel"));
    expect(page.said).toEqual([]);
    await page.press("n");
    page.one<HTMLTextAreaElement>("textarea")!.value = "kept";
    await page.click(page.button("keep"));
    expect(labels(page.said)).toEqual([["note", "i0", "kept"]]);
  });
});

describe("77 labels", () => {
  const many = async (change: Partial<ItemPart> = {}) => {
    await open({ task: MANY }).items(["i0", "i1", "i2"].map((id) => part(id, change)));
    page.focus();
  };
  const chips = () => page.all(".nblabel-chip span").map((chip) => chip.textContent);

  test("are found by typing; Enter labels with the one on top", async () => {
    await many();
    expect(chips().length).toBe(77);
    await page.press("m");
    expect(document.activeElement).toBe(page.search);
    await page.type("number 42");
    expect(chips()).toEqual(["label number 42"]);
    await page.press("Enter");
    expect(labels(page.said)).toEqual([["label", "i0", "label number 42"]]);
    expect(page.search.value).toBe("");
    expect(document.activeElement).toBe(page.root);
    expect(chips().length).toBe(77);
  });

  test("arrows choose, round and round", async () => {
    await many();
    await page.press("n");
    await page.type("7");
    const picked = () => page.one(".nblabel-picked")?.textContent;
    const found = chips();
    expect(picked()).toBe(found[0]);
    await page.press("ArrowDown");
    expect(picked()).toBe(found[1]);
    await page.press("ArrowUp");
    await page.press("ArrowUp");
    expect(picked()).toBe(found.at(-1));
    expect(page.one('[aria-selected="true"]')?.textContent).toBe(found.at(-1));
    await page.press("Enter");
    expect(page.said[0]?.value).toBe(found.at(-1));
  });

  test("Escape clears what was typed", async () => {
    await many();
    await page.press("n");
    await page.type("7");
    await page.press("Escape");
    expect(page.search.value).toBe("");
    expect(document.activeElement).toBe(page.root);
    expect(page.said).toEqual([]);
  });

  test("what fits nothing labels nothing", async () => {
    await many();
    await page.press("n");
    await page.type("qqq");
    expect(page.text).toContain("No label is called “qqq”");
    for (const key of ["Enter", "ArrowDown", "ArrowUp"]) await page.press(key);
    expect(page.said).toEqual([]);
  });

  test("space and Enter accept while nothing is typed, and are typed when something is", async () => {
    await many({ suggestion: suggestion("label number 5") });
    await page.press("n");
    expect((await page.press(" ")).defaultPrevented).toBe(true);
    await page.press("Enter", {}, page.search);
    expect(labels(page.said).map(([, , value]) => value)).toEqual([
      "label number 5",
      "label number 5",
    ]);
    page.search.focus();
    await page.type("number");
    expect((await page.press(" ", {}, page.search)).defaultPrevented).toBe(false);
    expect(page.said.length).toBe(2);
  });

  test("commands work from the empty field; letters stay letters when something is typed", async () => {
    await many();
    await page.press("/");
    expect(document.activeElement).toBe(page.search);
    await page.press("S", { shiftKey: true });
    expect(labels(page.said)).toEqual([["skip", "i0", null]]);
    await page.press("1");
    expect(page.said.at(-1)?.value).toBe("label number 1");
    page.search.focus();
    await page.type("x");
    await page.press("S", { shiftKey: true });
    expect((await page.press("Backspace")).defaultPrevented).toBe(false);
    expect((await page.press("Tab")).defaultPrevented).toBe(false);
    expect(page.said.length).toBe(2);
    expect(page.leaked).toEqual([]);
  });

  test("can be clicked, as can the best guesses", async () => {
    const ranking = [3, 1, 2, 4].map((k) => [`label number ${k}`, 0.2] as const);
    await many({ suggestion: suggestion("label number 3", { ranking }) });
    expect(page.all(".nblabel-guesses button").map((b) => b.getAttribute("data-label"))).toEqual(
      [3, 1, 2].map((k) => `label number ${k}`),
    );
    await page.click(page.all(".nblabel-guesses button")[1]!);
    await page.click(page.all(".nblabel-chip").at(-1)!);
    expect(page.said.map((event) => event.value)).toEqual(["label number 1", "label number 77"]);
  });
});

describe("what is said when there is no item", () => {
  const state = () => page.root.getAttribute("data-state");

  test("connecting, and waiting for a busy kernel", async () => {
    open();
    await settle();
    expect(state()).toBe("connecting");
    expect(page.text).toContain("Getting ready");
    page.world.advance(3000);
    await settle();
    expect(page.text).toContain("Waiting for the kernel");
    await page.items([part("i0")]);
    expect(state()).toBe("ready");
  });

  test("busy, while one goes on", async () => {
    await open().items([part("i0"), part("i1")]);
    page.focus();
    await page.press("1");
    page.world.advance(3000);
    await settle();
    expect(page.text).toContain("The kernel is busy. Go on labeling");
    expect(page.item).toBe("i1");
    await page.ack({ left: 1 });
    expect(page.text).not.toContain("The kernel is busy");
  });

  test("nothing is ready yet: nobody is told what they labeled", async () => {
    await open().items([], { left: 50 });
    expect(page.text).toContain("Waiting for the kernel");
    expect(page.text).toContain("The first items come by themselves");
    expect(page.text).not.toContain("You labeled");
  });

  test("all that was ready is labeled", async () => {
    await open().items([part("i0")], { left: 50 });
    page.focus();
    await page.press("1");
    expect(state()).toBe("loading");
    expect(page.text).toContain("You labeled all that was ready");
    expect(page.text).toContain("1 label is kept in this browser meanwhile");
  });

  test("all that was ready is labeled beside a busy kernel: nobody is told to go on", async () => {
    await open().items([part("i0")], { left: 50 });
    page.focus();
    await page.press("1");
    page.world.advance(3000);
    await settle();
    expect(page.text).toContain("Waiting for the kernel");
    expect(page.text).not.toContain("Go on labeling");
  });

  test("finished", async () => {
    await open().items([part("i0")]);
    page.focus();
    await page.press("1");
    await page.ack({ left: 0, labeled: 100 });
    expect(state()).toBe("finished");
    expect(page.text).toContain("All items are labeled");
    expect(page.text).toContain("100 of 100 items have a label");
    expect(document.activeElement).toBe(page.root);
    await page.press("z");
    expect(page.item).toBe("i0");
  });

  test("finished but for what was skipped, which can be looked at again", async () => {
    await open().items([part("i0")]);
    page.focus();
    await page.press("s");
    await page.ack({ left: 0, labeled: 99, skipped: 1 });
    expect(page.text).toContain("Nothing left but what you skipped");
    await page.click(page.button(/skipped again/));
    await page.quiet({ left: 0, labeled: 99, skipped: 1 });
    const asked = page.sent.at(-1)!;
    expect(asked).toMatchObject({ type: "want", skipped: true });
    await page.hear(windowMessage([part("i0")], { re: asked.id, status: status({ left: 1 }) }));
    expect(page.item).toBe("i0");
  });

  test("a pool that is empty", async () => {
    await open().items([], { items: 0, left: 0 });
    expect(state()).toBe("finished");
    expect(page.text).toContain("0 of 0 items have a label");
  });

  test("refused, with what to do", async () => {
    await open().items([part("i0")]);
    const text = "This labeler was replaced: the cell was run again.";
    await page.hear({ v: 1, type: "refuse", re: "", code: "replaced", text });
    expect(state()).toBe("refused");
    expect(page.text).toContain(text);
    expect(page.one(".nblabel-label")).toBeNull();
    page.focus();
    await page.press("1");
    expect(page.said).toEqual([]);
  });

  test("gone, and what happens to what is unsaved", async () => {
    await open().items([part("i0"), part("i1")]);
    page.focus();
    await page.press("1");
    page.el.classList.add("jupyter-widgets-disconnected");
    await settle();
    expect(state()).toBe("gone");
    expect(page.text).toContain("The kernel is gone");
    expect(page.text).toContain("1 unsaved label is kept in this browser");
    for (const key of ["1", "s", "z", "f"]) await page.press(key);
    expect(page.said.length).toBe(1);
    expect(page.all<HTMLButtonElement>(".nblabel-label").every((b) => b.disabled)).toBe(true);
  });

  test("an event that was rejected comes with the reason, which can be closed", async () => {
    await open().items([part("i0"), part("i1")]);
    page.focus();
    await page.press("1");
    const reject = { v: 1, type: "reject", re: "", ids: [page.said[0]!.id], code: "illegal" };
    await page.hear({ ...reject, text: "Not one of the labels.", retry: false });
    const alert = page.one('[role="alert"]')!;
    expect(alert.textContent).toContain("Not one of the labels.");
    await page.click(page.button("close"));
    expect(page.one('[role="alert"]')).toBeNull();
  });

  test("a strategy that failed beside a model that did not", async () => {
    await open().items([part("i0")], { training: "unranked", version: 3, error: "why" });
    await page.click(page.button(/strategy failed/));
    expect(page.text).toContain("The strategy failed: items come at random. Labeling goes on.");
    expect(page.text).not.toContain("training failed");
  });

  test("a model that failed, with the traceback on request", async () => {
    await open().items([part("i0")], { training: "failed", error: "ValueError: <b>no</b>" });
    await page.click(page.button(/training failed/));
    expect(page.one("pre")?.textContent).toBe("ValueError: <b>no</b>");
    expect(page.text).toContain("Labeling goes on");
    await page.click(page.button(/close/));
    expect(page.one("pre")).toBeNull();
    expect(document.activeElement).toBe(page.root);
  });
});

describe("the frame around", () => {
  test("has roles and names, and says what happens", async () => {
    await open({ task: task(["ham", "spam"], { question: "Spam?" }) }).items([
      part("i0"),
      part("i1"),
    ]);
    expect(page.root.getAttribute("role")).toBe("application");
    expect(page.root.getAttribute("aria-label")).toContain("Spam?");
    expect(page.root.tabIndex).toBe(0);
    expect(page.root.getAttribute("data-lm-suppress-shortcuts")).toBe("true");
    expect(page.one('[role="group"][aria-label="labels"]')).not.toBeNull();
    expect(page.one('[role="toolbar"]')).not.toBeNull();
    const live = page.one('[role="status"][aria-live="polite"]')!;
    await vi.waitFor(() => expect(live.textContent).toBe("text of i0"));
    page.focus();
    await page.press("1");
    await vi.waitFor(() => expect(live.textContent).toBe("ham. text of i1"));
    for (const button of page.all("button")) {
      const name = button.getAttribute("aria-label") ?? button.textContent;
      expect(name?.trim()).toBeTruthy();
    }
  });

  test("counts what is unsaved", async () => {
    await open().items([part("i0"), part("i1"), part("i2")]);
    expect(page.text).toContain("saved · labels.sqlite");
    page.focus();
    await page.press("1");
    await page.press("2");
    expect(page.root.getAttribute("data-unsaved")).toBe("2");
    // Said in words only when it lasts.
    await vi.waitFor(() => expect(page.text).toContain("unsaved: 2"), { timeout: 3000 });
    await page.ack({ left: 1 });
    expect(page.root.getAttribute("data-unsaved")).toBe("0");
  });

  test("says where labels are kept, or that they are not, and warns", async () => {
    await open().items([part("i0")], { store: null, warning: "Two are not in this data." });
    expect(page.text).toContain("not saved · in memory only");
    expect(page.one('[role="alert"]')?.textContent).toBe("Two are not in this data.");
  });

  test("shows the numbers of the model, its labels and the pace", async () => {
    await open().items([part("i0", { suggestion: suggestion("spam") })], {
      version: 3,
      learned: 1234,
      labeled: 1300,
      skipped: 2,
      items: 9000,
      counts: { ham: 1000, spam: 300 },
      audits: 24,
      accuracy: [0.875, 0.69, 0.957, 24],
      curve: [
        [180, 0.8, 0.58, 0.92],
        [212, 0.87, 0.69, 0.96],
      ],
      pace: [1.5, 1.25, 2],
      training: "training",
    });
    for (const text of [
      "model 3 · training",
      "1,300 of 9,000",
      "2 skipped",
      "88 % right",
      "24 checked",
      "40 per min",
      "1,000",
    ]) {
      expect(page.text).toContain(text);
    }
    expect(page.one('svg[aria-label="learning curve"]')).not.toBeNull();
    expect(page.one('[data-label="spam"]')?.textContent).toContain("80 %");
  });

  test("is as wide while labels wait to be saved as it is otherwise", async () => {
    await open().items([part("i0"), part("i1")]);
    page.focus();
    await page.press("1");
    await vi.waitFor(() => expect(page.text).toContain("unsaved: 1"), { timeout: 3000 });
    expect(page.one(".nblabel-saved")?.getAttribute("data-usual")).toBe("saved · labels.sqlite");
  });

  test("promises no accuracy where no random checks come", async () => {
    await open().items([part("i0")], { version: 2, audits: 3 });
    expect(page.text).toContain("accuracy not known yet (3 of 20 random checks)");
    await open().items([part("i0")], { version: 2, explore: 0 });
    expect(page.text).toContain("accuracy not measured: no random checks");
    expect(page.one(".nblabel-accuracy")?.getAttribute("title")).toContain("explore=0.1");
  });

  test("promises no end where one label is looked for", async () => {
    await open().items([part("i0")], { pace: [1.5, 1.25, 2], left: 600 });
    expect(page.one(".nblabel-pace")?.textContent).toBe("40 per min · 13 to 20 min left");
    await open().items([part("i0")], { pace: [1.5, 1.25, 2], left: 600, finding: true });
    expect(page.one(".nblabel-pace")?.textContent).toBe("40 per min");
  });

  test("says how far a long training is", async () => {
    await open().items([part("i0")], { training: "training", progress: 0.4299 });
    expect(page.text).toContain("getting ready 42 %");
    await open().items([part("i0")], { training: "training", version: 2, learned: 7, progress: 1 });
    expect(page.text).toContain("model 2 · training 100 %");
    await open().items([part("i0")], { training: "training", progress: null });
    expect(page.text).toMatch(/getting ready(?! \d)/);
  });

  test("stops a training that is long, by the key that begins one", async () => {
    const long = { left: 1, training: "training", progress: 0.2 } as const;
    await open().items([part("i0")], long);
    expect(page.button(/stop/).title).toBe("Stop this training (r)");
    await page.click(page.button(/stop/));
    await page.quiet(long); // what was asked as the focus came in
    expect(page.sent.at(-1)).toMatchObject({ type: "want", cancel: true, retrain: false, n: 0 });
    const asked = page.sent.length;
    await page.quiet(long);
    await page.press("r");
    expect(page.sent.slice(asked)).toMatchObject([{ type: "want", cancel: true, retrain: false }]);
    await page.quiet({ doing: "training cancelled" });
    expect(page.text).not.toContain("stop");
    await page.press("r");
    await page.quiet();
    expect(page.sent.at(-1)).toMatchObject({ type: "want", cancel: false, retrain: true });
  });

  test("asks how far a training is, until it is done", async () => {
    await open().items([part("i0")], { training: "training" });
    const before = page.sent.length;
    page.world.advance(500);
    expect(page.sent.length).toBe(before + 1);
    const { id } = page.sent.at(-1)!;
    const done = status({ left: 1, version: 1, learned: 10 });
    await page.hear(windowMessage([], { window: false, re: id, status: done }));
    page.world.advance(60_000);
    expect(page.sent.length).toBe(before + 1);
    expect(page.text).toContain("model 1 · 10 labels");
  });

  test("asks for news when the focus comes in", async () => {
    await open().items([part("i0")]);
    const before = page.sent.length;
    page.root.dispatchEvent(new FocusEvent("focusin", { bubbles: true }));
    expect(page.sent.length).toBe(before + 1);
    expect(page.sent.at(-1)).toMatchObject({ type: "want", n: 0, keep: ["i0"], held: ["i0"] });
    page.root.dispatchEvent(new FocusEvent("focusin", { bubbles: true }));
    expect(page.sent.length).toBe(before + 1);
  });

  test("asks soon after a cell changed something, once for many changes", async () => {
    await open().items([part("i0")]);
    const before = page.sent.length;
    for (let k = 0; k < 3; k++) page.controller.news();
    expect(page.sent.length).toBe(before);
    page.world.advance(200);
    expect(page.sent.slice(before)).toMatchObject([{ type: "want", n: 0 }]);
  });

  test("without a model has nothing to say of one", async () => {
    await open({ suggest: false }).items([part("i0")], { training: "off" });
    expect(page.text).not.toMatch(/model|accuracy|suggestions/);
  });

  test("goes away without a trace", async () => {
    await open().items([part("i0")]);
    page.close();
    expect(page.el.innerHTML).toBe("");
  });
});

describe("a swipe", () => {
  const BINARY = task(["accept", "reject"], { kind: "binary" });
  const swipe = (x: number, y: number, pointerType = "touch") => {
    const at = page.one(".nblabel-text")!;
    const make = (type: string, clientX: number, clientY: number) =>
      new PointerEvent(type, {
        clientX,
        clientY,
        pointerType,
        pointerId: 7,
        isPrimary: true,
        bubbles: true,
      });
    at.dispatchEvent(make("pointerdown", 200, 100));
    at.dispatchEvent(make("pointerup", 200 + x, 100 + y));
    return settle();
  };

  test("to the right accepts, to the left rejects, and nothing else does", async () => {
    await open({ task: BINARY }).items([part("a"), part("b"), part("c")]);
    await swipe(40, 0);
    await swipe(90, 70);
    await swipe(90, 0, "mouse");
    expect(page.said).toEqual([]);
    await swipe(90, 20);
    await swipe(-90, 0);
    expect(labels(page.said)).toEqual([
      ["label", "a", "accept"],
      ["label", "b", "reject"],
    ]);
  });

  test("means nothing to other tasks", async () => {
    await open().items([part("a")]);
    await swipe(90, 0);
    expect(page.said).toEqual([]);
  });
});

describe("several fields", () => {
  const field = (name: string, text: string) => ({
    name,
    view: { kind: "text", data: { text }, buffers: 0 },
  });

  test("stand below each other, each with its name, as text", async () => {
    const parts = [field("<b>title", "<i>one"), field("body", "two")];
    await open().items([part("a", { view: { kind: "several", data: { parts }, buffers: 0 } })]);
    const sections = page.all(".nblabel-several > section");
    expect(sections.map((one) => one.getAttribute("aria-label"))).toEqual(["<b>title", "body"]);
    expect(sections.map((one) => one.textContent)).toEqual(["<b>title<i>one", "bodytwo"]);
    expect(page.one(".nblabel-several b, .nblabel-several i")).toBeNull();
  });

  test("of trusted HTML are marked", async () => {
    const trusted = { kind: "html", data: { html: "<b>x", trusted: true }, buffers: 0 };
    const parts = [field("a", "x"), { name: "b", view: trusted }];
    const view = { kind: "several", data: { parts }, buffers: 0 };
    await open().items([part("a", { view }), part("b")]);
    expect(page.one(".nblabel-trusted")?.textContent).toBe("⚠ trusted HTML");
    expect(page.one("iframe")?.getAttribute("sandbox")).toBe("allow-scripts");
    await page.press("1", {}, page.root);
    expect(page.one(".nblabel-trusted")).toBeNull();
  });

  test("each get their own bytes, and ask for more of them by their place", async () => {
    const asked: unknown[] = [];
    const look = (name: string) => ({ name, view: { kind: "tune", data: {}, buffers: 1 } });
    const loaded = (globalThis as unknown as Record<symbol, Map<string, Promise<unknown>>>)[
      Symbol.for("nblabel.modules")
    ]!;
    loaded.set(
      "look-tune/1",
      Promise.resolve({
        mount: () => ({
          show: ({ id, buffers, piece }: import("../src/modules").Shown) => {
            asked.push([id, buffers[0]?.getUint8(0)]);
            void piece?.("x", 5);
          },
          destroy: () => undefined,
        }),
      }),
    );
    const view = { kind: "several", data: { parts: [look("a"), look("b")] }, buffers: 2 };
    const bytes = [1, 2].map((byte) => new DataView(Uint8Array.of(byte).buffer));
    await open({ modules: { "look-tune": "1" } }).items([part("i", { view })], {}, bytes);
    expect(asked).toEqual([
      ["i/0", 1],
      ["i/1", 2],
    ]);
    const reads = page.sent.filter(({ type }) => type === "read");
    expect(reads).toMatchObject([
      { item: "i", name: "0/x", start: 5 },
      { item: "i", name: "1/x", start: 5 },
    ]);
  });
});

test("details stand in a line that unfolds, and stays as it is from item to item", async () => {
  const details = [{ name: "<b>author", text: "<i>Ana", type: "text" }];
  const view = (text: string) => ({ kind: "text", data: { text, details }, buffers: 0 });
  await open().items([part("a", { view: view("x") }), part("b", { view: view("y") })]);
  const line = page.one<HTMLDetailsElement>(".nblabel-details")!;
  expect(line.open).toBe(false);
  expect(line.querySelector("summary")?.textContent).toBe("<b>author");
  expect(line.querySelector("td")?.textContent).toBe("<i>Ana");
  line.open = true;
  page.focus();
  await page.press("1", {}, page.root);
  expect(page.item).toBe("b");
  expect(page.one<HTMLDetailsElement>(".nblabel-details")?.open).toBe(true);
});
