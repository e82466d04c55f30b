import { describe, expect, test } from "vitest";
import {
  MOST_KEYED,
  belongsToPage,
  bindings,
  capOf,
  capOfLabel,
  commandFor,
  isMany,
  keyCap,
  pressName,
  startsTyping,
  type Press,
  type TaskSpec,
} from "../src/keymap";
import { FEW, MANY } from "./helpers";

/** The press that a name such as "shift+s" stands for, as a keyboard makes it. */
function press(name: string): Press {
  const keys: Record<string, string> = {
    space: " ",
    left: "ArrowLeft",
    right: "ArrowRight",
    enter: "Enter",
    backspace: "Backspace",
    escape: "Escape",
  };
  const names = name.split(/(?<=\w)\+/);
  const shift = names.includes("shift");
  const last = names.at(-1)!;
  const key = keys[last] ?? (shift ? last.toUpperCase() : last);
  return { key, shift, ctrl: names.includes("ctrl"), alt: names.includes("alt"), meta: false };
}

const task = (classes: readonly string[], keys: Record<string, string>): TaskSpec => ({
  ...FEW,
  classes,
  keys,
});

describe.each([
  ["few", FEW],
  ["many", MANY],
])("with %s labels", (_, task) => {
  test("every command is reached by each of its keys", () => {
    for (const { command, keys } of bindings(task)) {
      expect(keys.length).toBeGreaterThan(0);
      for (const key of keys) expect(commandFor(task, press(key))).toEqual({ type: command });
    }
  });

  test("no two commands share a key, and none has that of a label", () => {
    const keys = bindings(task).flatMap((binding) => binding.keys);
    expect(new Set(keys).size).toBe(keys.length);
    for (const key of Object.values(task.keys)) expect(keys).not.toContain(key);
  });

  test("every command says what it does", () => {
    for (const { command, does } of bindings(task)) {
      expect(does).not.toBe("");
      expect(capOf(task, command)).not.toBe("");
    }
  });

  test("a digit is a label", () => {
    const [first] = task.classes;
    expect(commandFor(task, press("1"))).toEqual({ type: "label", value: first });
    expect(capOfLabel(task, first!)).toBe("1");
  });

  test("Ctrl+Z and Cmd+Z take back", () => {
    expect(commandFor(task, press("ctrl+z"))).toEqual({ type: "undo" });
    expect(commandFor(task, { ...press("z"), meta: true })).toEqual({ type: "undo" });
  });

  test("combinations that are bound to nothing do nothing", () => {
    for (const name of ["ctrl+s", "alt+left", "shift+left", "ctrl+1", "alt+s", "up"]) {
      expect(commandFor(task, press(name))).toBeNull();
    }
  });
});

describe("few labels", () => {
  test("capitals mean the same as small letters", () => {
    expect(commandFor(FEW, press("shift+s"))).toEqual({ type: "skip" });
    expect(commandFor(FEW, press("shift+q"))).toBeNull();
    const caps = { ...press("s"), key: "S" };
    expect(commandFor(FEW, caps)).toEqual({ type: "skip" });
  });

  test("own keys, letters or signs, small or capital", () => {
    const own = task(["ham", "spam", "eggs"], { ham: "a", spam: "+", eggs: "é" });
    expect(commandFor(own, press("a"))).toEqual({ type: "label", value: "ham" });
    expect(commandFor(own, press("shift+a"))).toEqual({ type: "label", value: "ham" });
    expect(commandFor(own, { ...press("+"), key: "+", shift: true })).toEqual({
      type: "label",
      value: "spam",
    });
    expect(commandFor(own, press("é"))).toEqual({ type: "label", value: "eggs" });
    expect(capOfLabel(own, "spam")).toBe("+");
  });

  test("a sign typed with Shift is that sign", () => {
    expect(commandFor(FEW, { ...press("?"), shift: true })).toEqual({ type: "sheet" });
    expect(commandFor(FEW, { ...press("/"), shift: true })).toEqual({ type: "search" });
  });

  test("nothing starts typing", () => {
    expect(startsTyping(FEW, press("x"))).toBe(false);
  });
});

describe("many labels", () => {
  test("begin where the digits end, unless each has its own key", () => {
    const classes = "abcdefghij".split("");
    const keys = (n: number) => Object.fromEntries(classes.slice(0, n).map((c) => [c, c]));
    expect(isMany(task(classes.slice(0, MOST_KEYED), {}))).toBe(false);
    expect(isMany(task(classes, keys(9)))).toBe(true);
    expect(isMany(task(classes, keys(10)))).toBe(false);
  });

  test("commands take Shift, so that letters find a label", () => {
    expect(commandFor(MANY, press("s"))).toBeNull();
    expect(startsTyping(MANY, press("s"))).toBe(true);
    expect(commandFor(MANY, press("shift+s"))).toEqual({ type: "skip" });
    expect(startsTyping(MANY, press("shift+s"))).toBe(false);
    expect(startsTyping(MANY, press("shift+q"))).toBe(true);
    expect(capOf(MANY, "skip")).toBe("⇧s");
    expect(capOf(FEW, "skip")).toBe("s");
  });

  test("with caps lock too", () => {
    expect(startsTyping(MANY, { ...press("s"), key: "S" })).toBe(true);
    const shifted = { ...press("shift+s"), key: "s" };
    expect(commandFor(MANY, shifted)).toEqual({ type: "skip" });
  });

  test("a character of any script starts typing; keys without one do not", () => {
    for (const key of ["я", "語", "𝒳", "0", "("]) {
      expect(startsTyping(MANY, { ...press("x"), key })).toBe(true);
    }
    for (const key of ["Dead", "Process", "Home", " ", "1", "/"]) {
      expect(startsTyping(MANY, { ...press("x"), key })).toBe(false);
    }
    for (const held of ["ctrl", "alt", "meta"]) {
      expect(startsTyping(MANY, { ...press("x"), [held]: true })).toBe(false);
    }
  });
});

test("names of presses", () => {
  expect(pressName(press("space"))).toBe("space");
  expect(pressName({ ...press("ArrowUp"), alt: true })).toBe("alt+arrowup".replace("arrow", ""));
  expect(pressName({ key: "Z", shift: true, ctrl: true, alt: false, meta: false })).toBe(
    "ctrl+shift+z",
  );
  expect(pressName({ ...press("enter"), shift: true })).toBe("shift+enter");
});

test("saving, reloading, copying and the like belong to the page", () => {
  const ctrl = (key: string) => ({ ...press(key), ctrl: true });
  for (const key of ["s", "r", "c", "l", "t", "w", "n", "+", "-", "0", "S", "R"]) {
    expect(belongsToPage(ctrl(key))).toBe(true);
    expect(belongsToPage({ ...press(key), meta: true })).toBe(true);
  }
  for (const key of ["F1", "F5", "F12"]) expect(belongsToPage({ ...press("x"), key })).toBe(true);
  for (const key of ["z", "Enter", "1", "ArrowLeft"]) expect(belongsToPage(ctrl(key))).toBe(false);
  for (const key of ["s", "Enter", "Escape", "F"]) {
    expect(belongsToPage({ ...press("x"), key })).toBe(false);
  }
  expect(belongsToPage({ ...ctrl("s"), alt: true })).toBe(false);
});

test("keys as they are printed", () => {
  expect(["space", "left", "ctrl+z", "shift+f", "escape", "?"].map(keyCap)).toEqual([
    "␣",
    "←",
    "Ctrl z",
    "⇧f",
    "Esc",
    "?",
  ]);
  expect(capOf(FEW, "nothing" as never)).toBe("");
});

test("labels called like what every object has are labels", () => {
  const odd = task(["constructor", "toString", "__proto__"], { toString: "1" });
  expect(capOfLabel(odd, "constructor")).toBe("");
  expect(capOfLabel(odd, "__proto__")).toBe("");
  expect(capOfLabel(odd, "toString")).toBe("1");
  const classes = [...odd.classes, ..."abcdefgh"];
  expect(isMany(task(classes, Object.fromEntries([..."abcdefgh"].map((c) => [c, c]))))).toBe(true);
});

test("a letter that a label has means its command with Shift", () => {
  const task = {
    kind: "choice",
    classes: ["ham", "spam"],
    keys: { ham: "h", spam: "s" },
    question: null,
  };
  const press = (key: string, shift = false) =>
    commandFor(task, { key, shift, ctrl: false, alt: false, meta: false });
  expect(press("h")).toEqual({ type: "label", value: "ham" });
  expect(press("H", true)).toEqual({ type: "suggest" });
  expect(press("S", true)).toEqual({ type: "skip" });
  expect(press("z")).toEqual({ type: "undo" });
  expect(capOf(task, "skip")).toBe("⇧s");
});
