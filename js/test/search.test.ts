import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { fit, search } from "../src/search";

describe("how well a name fits", () => {
  test.each([
    ["card arrival", "card arrival", 0],
    ["card arrival", "card", 1],
    ["card arrival", "arr", 2],
    ["card arrival", "arr ca", 2],
    ["Card Payment Fee Charged", "cpf", 3],
    ["card arrival", "ival", 4],
    ["card arrival", "cdav", 5],
    ["card arrival", "zz", null],
    ["card arrival", "carda b", null],
    ["card", "", 0],
    ["card", "   ", 0],
    ["Größe", "grosse", null],
  ] as const)("%j for %j: %j", (name, typed, score) => {
    expect(fit(name, typed)).toBe(score);
  });

  test("marks and capitals do not matter, in either", () => {
    for (const [name, typed] of [
      ["Café crème", "cafe creme"],
      ["cafe creme", "CAFÉ CRÈME"],
      ["Ångström", "angstrom"],
      ["İstanbul", "istanbul"],
      ["ｆｕｌｌ ｗｉｄｔｈ", "full width"],
      ["Ёлка", "елка"],
    ] as const) {
      expect(fit(name, typed)).toBe(0);
    }
  });

  test("words may be joined in any way", () => {
    for (const name of ["top_up_failed", "top-up failed", "topUp/failed up"]) {
      expect(fit(name, "fail")).not.toBeNull();
    }
    expect(fit("top_up_failed", "up")).toBe(2);
    expect(fit("🎉 party time", "🎉")).toBe(1);
    expect(fit("a🎉b", "🎉")).toBe(4);
    expect(fit("a🎉bc🎊d", "🎉🎊")).toBe(5);
    expect(fit("label", "...")).toBeNull();
  });
});

describe("search", () => {
  const names = ["transfer fee", "top up fee", "feel good", "coffee", "fee"];

  test("the best first, then as given", () => {
    expect(search(names, "fee")).toEqual([
      "fee",
      "feel good",
      "transfer fee",
      "top up fee",
      "coffee",
    ]);
  });

  test("among equals the one that the model ranks higher", () => {
    expect(search(names, "fee", ["top up fee", "feel good"]).slice(1, 4)).toEqual([
      "feel good",
      "top up fee",
      "transfer fee",
    ]);
  });

  test("all, as given, where nothing is typed", () => {
    expect(search(names, "", ["fee"])).toEqual(names);
    expect(search(names, "  ", ["fee"])).toEqual(names);
    expect(search(names, "qqq")).toEqual([]);
  });

  test("finds every name by itself, first, and answers only with names that fit", () => {
    const list = fc.uniqueArray(fc.string({ unit: "grapheme", minLength: 1, maxLength: 12 }), {
      minLength: 1,
      maxLength: 12,
    });
    fc.assert(
      fc.property(
        list,
        fc.nat(),
        fc.string({ unit: "grapheme", maxLength: 6 }),
        (names, k, typed) => {
          const name = names[k % names.length]!;
          expect(search(names, name)).toContain(name);
          expect(fit(name, name)).toBe(0);
          const found = search(names, typed);
          expect(new Set(found).size).toBe(found.length);
          for (const one of found) expect(fit(one, typed)).not.toBeNull();
        },
      ),
    );
  });
});
