// @vitest-environment jsdom
// What the looks do with keys, lines and sources: pure, apart from the last part, which mounts them.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import chat from "../src/looks/chat";
import code from "../src/looks/code";
import { pieces } from "../src/looks/highlight";
import markdown, { rendered } from "../src/looks/markdown";
import {
  WHOLE,
  below,
  endText,
  extremes,
  moved,
  shifted,
  tickText,
  ticks,
  together,
  zoomed,
} from "../src/looks/plotting";
import { SPEEDS, clock, turn } from "../src/looks/playing";
import { peaksOf, typeOf } from "../src/looks/sound";
import { commandFor, type Press, type TaskSpec } from "../src/keymap";
import type { Look, Shown } from "../src/modules";

const shown = (kind: string, data: object): Shown => ({
  id: "1",
  name: "1",
  view: { kind, data: data as Record<string, unknown>, buffers: 0 },
  buffers: [],
  label: null,
  suggestion: null,
});

describe("sounds", () => {
  const place = { at: 5, length: 6, speed: 1 };

  it("are played, sought and sped up by keys", () => {
    expect(turn(place, "shift+space")).toEqual({ toggle: true });
    expect(turn(place, "shift+left")).toEqual({ at: 3 });
    expect(turn(place, "shift+right")).toEqual({ at: 6 });
    expect(turn({ ...place, at: 1 }, "shift+left")).toEqual({ at: 0 });
    expect(turn(place, "home")).toEqual({ at: 0 });
    expect(turn(place, "+")).toEqual({ speed: 1.25 });
    expect(turn(place, "-")).toEqual({ speed: 0.75 });
    expect(turn(place, "p")).toBeNull();
  });

  it("keep within the speeds there are", () => {
    expect(turn({ ...place, speed: SPEEDS.at(-1) ?? 0 }, "+")).toEqual({ speed: SPEEDS.at(-1) });
    expect(turn({ ...place, speed: SPEEDS[0] ?? 0 }, "-")).toEqual({ speed: SPEEDS[0] });
  });

  it("have keys that mean nothing else", () => {
    const task = (kind: string, n: number): TaskSpec => {
      const classes = Array.from({ length: n }, (_, k) => `label ${k}`);
      const keys = Object.fromEntries(classes.slice(0, 9).map((name, k) => [name, String(k + 1)]));
      return { kind, classes, keys, question: null };
    };
    const press = (key: string, shift = false): Press => {
      return { key, shift, ctrl: false, alt: false, meta: false };
    };
    const used = [
      press(" ", true),
      press("ArrowLeft", true),
      press("ArrowRight", true),
      press("Home"),
      press("-"),
      press("+", true),
      press("="),
    ];
    for (const spec of [task("choice", 3), task("choice", 77), task("pairs", 3)]) {
      for (const one of used) expect(commandFor(spec, one)).toBeNull();
    }
  });

  it("say where they are", () => {
    expect(clock(0, true)).toBe("0:00.0");
    expect(clock(61.28, true)).toBe("1:01.2");
    expect(clock(59.99, true)).toBe("0:59.9");
    expect(clock(3725.9, false)).toBe("62:05");
    expect(clock(NaN, true)).toBe("–");
  });

  it("are drawn from the extremes of their parts", () => {
    expect([...peaksOf([0, 1, -1, 0.5], 2)]).toEqual([0, 1, -1, 0.5]);
    expect([...peaksOf([0.5], 9)]).toEqual([0.5, 0.5]);
    expect(peaksOf([], 9)).toHaveLength(0);
  });

  it("are never a page of their own", () => {
    expect(typeOf("audio/ogg")).toBe("audio/ogg");
    for (const mime of ["text/html", "image/svg+xml", null, "audio/x"]) {
      expect(typeOf(mime)).toBe("audio/wav");
    }
  });
});

describe("the part of a series that is seen", () => {
  it("is zoomed about its middle and moved by a quarter", () => {
    expect(moved(WHOLE, "+", 0.01)).toEqual({ from: 0.25, to: 0.75 });
    expect(moved({ from: 0.25, to: 0.75 }, "-", 0.01)).toEqual(WHOLE);
    expect(moved({ from: 0.5, to: 1 }, "shift+left", 0.01)).toEqual({ from: 0.375, to: 0.875 });
    expect(moved({ from: 0.5, to: 1 }, "shift+right", 0.01)).toEqual({ from: 0.5, to: 1 });
    expect(moved({ from: 0.5, to: 1 }, "home", 0.01)).toEqual(WHOLE);
    expect(moved(WHOLE, "1", 0.01)).toBeNull();
  });

  it("stays within the series whatever is pressed", () => {
    const key = fc.constantFrom("+", "-", "shift+left", "shift+right", "home");
    fc.assert(
      fc.property(
        fc.array(key, { maxLength: 60 }),
        fc.double({ min: 1e-5, max: 1, noNaN: true }),
        (keys, l) => {
          let span = WHOLE;
          for (const one of keys) span = moved(span, one, l) ?? span;
          expect(span.from).toBeGreaterThanOrEqual(0);
          expect(span.to).toBeLessThanOrEqual(1 + 1e-9);
          expect(span.to - span.from).toBeGreaterThan(l * 0.999);
        },
      ),
    );
  });

  it("keeps the place that the pointer is on", () => {
    const span = zoomed(WHOLE, 0.5, 0.2, 0.01);
    expect(span).toEqual({ from: 0.1, to: 0.6 });
    expect(shifted(span, 9)).toEqual({ from: 0.5, to: 1 });
  });

  it("has one place for all lines, or one for each", () => {
    const ranges = [[0, 2], null, [5, 5], [-1, 9]] as const;
    expect(together(ranges, 8, 108)).toEqual(
      ranges.map(() => ({ top: 8, bottom: 108, low: -1, high: 9 })),
    );
    expect(together([[4, 4]], 0, 9)).toEqual([{ top: 0, bottom: 9, low: 3, high: 5 }]);
    expect(below(ranges, 8, 108, false)).toEqual([
      { top: 8, bottom: 33, low: 0, high: 2 },
      { top: 33, bottom: 58, low: -1, high: 1 },
      { top: 58, bottom: 83, low: 4, high: 6 },
      { top: 83, bottom: 108, low: -1, high: 9 },
    ]);
  });

  it("says the ends of a range as they are", () => {
    const ends = (low: number, high: number) => [endText(low, low, high), endText(high, low, high)];
    expect(ends(1.4, 2.6)).toEqual(["1.40", "2.60"]);
    expect(ends(-0.4, 0.7)).toEqual(["-0.40", "0.70"]);
    expect(ends(-1e-9, 1)).toEqual(["0.00", "1.00"]);
    expect(ends(98554, 101017)).toEqual(["98554", "101017"]);
    expect(ends(1e7, 1e7 + 4)).toEqual(["1.00000000e7", "1.00000040e7"]);
    expect(ends(5, 5)).toEqual(["5", "5"]);
    const number = fc.double({ min: -1e12, max: 1e12, noNaN: true });
    fc.assert(
      fc.property(number, fc.double({ min: 1e-9, max: 1e9, noNaN: true }), (low, wide) => {
        const high = low + wide;
        const step = Math.max((high - low) / 19, Math.abs(low) * 1e-8);
        for (const end of [low, high]) {
          expect(Math.abs(Number(endText(end, low, high)) - end)).toBeLessThanOrEqual(step);
        }
      }),
    );
  });

  it("draws lines of one scale each about its own middle", () => {
    const range = fc.tuple(fc.integer({ min: -99, max: 99 }), fc.integer({ min: 0, max: 50 }));
    fc.assert(
      fc.property(fc.array(range, { minLength: 1, maxLength: 70 }), (drawn) => {
        const ranges = drawn.map(([low, wide]) => [low, low + wide] as const);
        const bands = below(ranges, 0, 300, true);
        const widest = Math.max(...drawn.map(([, wide]) => wide)) || 2;
        bands.forEach(({ top, bottom, low, high }, k) => {
          const [from, to] = ranges[k] ?? [0, 0];
          expect(high - low).toBeCloseTo(widest);
          expect(high + low).toBeCloseTo(from + to);
          expect(low).toBeLessThanOrEqual(from + 1e-9);
          expect(bottom - top).toBeCloseTo(300 / ranges.length);
          expect(top).toBeCloseTo(k ? (bands[k - 1]?.bottom ?? NaN) : 0);
        });
      }),
    );
  });

  it("has round ticks, written as short as they can be told apart", () => {
    expect(ticks(0, 10, 5)).toEqual([0, 2, 4, 6, 8, 10]);
    expect(ticks(1, 1, 5)).toEqual([]);
    expect(ticks(NaN, 1, 5)).toEqual([]);
    expect(tickText(0.2, [0, 0.2])).toBe("0.2");
    expect(tickText(20, [0, 20])).toBe("20");
    expect(tickText(2e9, [1e9, 2e9])).toBe("2.00e9");
  });

  it("has ticks within its range", () => {
    const number = fc.double({ min: -1e9, max: 1e9, noNaN: true });
    fc.assert(
      fc.property(number, fc.double({ min: 1e-3, max: 1e9, noNaN: true }), (low, width) => {
        const made = ticks(low, low + width, 5);
        expect(made.length).toBeLessThan(13);
        for (const one of made) {
          expect(one).toBeGreaterThanOrEqual(low - width * 1e-6);
          expect(one).toBeLessThanOrEqual(low + width * (1 + 1e-6));
        }
      }),
    );
  });

  it("leaves gaps out", () => {
    expect(extremes([1, NaN, -3, 9], 0, 3)).toEqual([-3, 1]);
    expect(extremes([NaN, NaN], 0, 2)).toBeNull();
    expect(extremes([1], 4, 9)).toBeNull();
  });
});

describe("code", () => {
  const kinds = (source: string, language: string) =>
    pieces(source, language)
      .filter((piece) => piece.kind)
      .map((piece) => [piece.kind, piece.text]);

  it("has its strings, comments, numbers and words found", () => {
    expect(kinds("def f(x): # def 1\n  return 'if' + 0x1F", "python")).toEqual([
      ["keyword", "def"],
      ["comment", "# def 1"],
      ["keyword", "return"],
      ["string", "'if'"],
      ["number", "0x1F"],
    ]);
    expect(kinds('"""a\nb""" // 2', "py")[0]).toEqual(["string", '"""a\nb"""']);
    expect(kinds("SELECT a -- from\nFROM t", "sql")).toEqual([
      ["keyword", "SELECT"],
      ["comment", "-- from"],
      ["keyword", "FROM"],
    ]);
    expect(kinds("let url = `http://x`; /* if", "ts")).toEqual([
      ["keyword", "let"],
      ["string", "`http://x`"],
      ["comment", "/* if"],
    ]);
    expect(kinds("if x1 = 2", "constructor")).toEqual([["number", "2"]]);
  });

  it("is the same text in pieces, whatever it is", () => {
    const part = fc.constantFrom(
      '"',
      "'",
      "`",
      "\\",
      "\n",
      "#",
      "//",
      "/*",
      "*/",
      "if",
      "1",
      "\ud800",
      "é",
    );
    const language = fc.constantFrom("python", "ts", "sql", "json", "toString", "");
    fc.assert(
      fc.property(fc.array(part), language, (parts, name) => {
        const source = parts.join("");
        expect(
          pieces(source, name)
            .map((piece) => piece.text)
            .join(""),
        ).toBe(source);
      }),
    );
  });
});

describe("on the page", () => {
  const HOSTILE = `<img src=x onerror="alert(1)"><script>alert(2)</script>`;
  const mounted = (look: Look, kind: string, data: object) => {
    const el = document.createElement("div");
    const made = look.mount(el, { say: () => undefined });
    made.show(shown(kind, data));
    return el;
  };

  it("a conversation is text", () => {
    const turns = [
      { role: "User", content: "", text: HOSTILE },
      { role: HOSTILE, text: 3 },
    ];
    const el = mounted(chat, "chat", { turns });
    expect(el.querySelectorAll("img, script")).toHaveLength(0);
    expect(el.querySelector('[data-role="user"] div')?.textContent).toBe(HOSTILE);
    expect(el.querySelectorAll("section")).toHaveLength(2);
    expect(mounted(chat, "chat", { turns: "no" }).textContent).toContain("nothing was said");
  });

  it("code is text", () => {
    const el = mounted(code, "code", { text: `x = "${HOSTILE}"\n`, language: "python" });
    expect(el.querySelectorAll("img, script")).toHaveLength(0);
    expect(el.querySelectorAll("pre")[1]?.textContent).toBe(`x = "${HOSTILE}"\n`);
    expect(el.querySelectorAll("pre")[0]?.textContent).toBe("1");
  });

  it("markdown is formatted", () => {
    const el = mounted(markdown, "markdown", { text: "# Title\n\n**bold** `code`" });
    expect(el.querySelector("h1")?.textContent).toBe("Title");
    expect(el.querySelector("strong")?.textContent).toBe("bold");
    expect(rendered("").childNodes).toHaveLength(0);
  });

  it("markdown is disarmed", () => {
    const source = `${HOSTILE}\n\n[a](javascript:alert(1)) ![b](https://example.org/p.png)`;
    const el = mounted(markdown, "markdown", {
      text: `${source}\n\n<p style="color:red" id="a">c</p>`,
    });
    expect(el.querySelectorAll("img, script, [href], [onerror], [id]")).toHaveLength(0);
    expect(el.querySelector("p[style]")).toBeNull();
    expect(el.textContent).toContain("[b]");
  });
});
