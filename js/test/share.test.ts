// The widths of the buttons of labels.

import { expect, test } from "vitest";
import { leastWidth } from "../src/share";

/** How many columns a browser makes of a least width, in so much room. */
function columnsIn(room: number, n: number, width: number): number {
  const css = leastWidth(n, width)
    .replaceAll("100%", `${room}`)
    .replaceAll("px", "")
    .replaceAll("calc", "")
    .replaceAll(/(min|max)\(/g, "Math.$1(");
  const least = Number(new Function(`return ${css}`)());
  return Math.min(n, Math.max(1, Math.floor((room + 8) / (least + 8))));
}

test("as few rows as with columns as narrow as they may be, and none much shorter", () => {
  for (let n = 1; n <= 12; n++) {
    for (const width of [120, 150, 220]) {
      for (let room = 100; room < 1400; room += 7) {
        const most = Math.min(n, Math.max(1, Math.floor((room + 8) / (width + 8))));
        const rows = Math.ceil(n / most);
        expect(columnsIn(room, n, width), `${n} of ${width} in ${room}`).toBe(Math.ceil(n / rows));
      }
    }
  }
});

test("four stand two by two where four do not fit in a row", () => {
  expect([300, 500, 660].map((room) => columnsIn(room, 4, 150))).toEqual([1, 2, 4]);
});
