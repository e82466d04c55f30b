// @vitest-environment happy-dom
// The frame is not rendered with every key: whatever happens, it shows what a new one would show.

import fc from "fast-check";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { mount } from "../src/views/frame";
import { FEW, part, status, suggestion } from "./helpers";
import { Page, settle } from "./page";

beforeEach(() => {
  vi.stubGlobal("matchMedia", () => ({ matches: false, addEventListener: () => undefined }));
});
afterEach(() => {
  document.body.innerHTML = "";
  vi.unstubAllGlobals();
});

/** What a view that is new shows of the same. */
async function afresh(page: Page): Promise<string> {
  const el = document.createElement("div");
  document.body.append(el);
  const leave = mount(el, page.controller);
  await settle();
  const html = el.innerHTML;
  leave();
  el.remove();
  return html;
}

const KEYS = ["1", "2", " ", "z", "s", "f", "n", "h", "?", "Escape", "ArrowLeft", "ArrowRight"];

const op = fc.oneof(
  { weight: 6, arbitrary: fc.record({ key: fc.constantFrom(...KEYS) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      told: fc.record({
        labeled: fc.nat(50),
        doing: fc.constantFrom("exploring the pool", "asking what settles unsure items"),
        version: fc.nat(3),
        warning: fc.constantFrom("", "The disk is full."),
      }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ link: fc.constantFrom("live", "busy", "gone") }) },
);

test("whatever happens, the frame shows what a new one would", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(op, { maxLength: 12 }), async (ops) => {
      const page = new Page({ task: FEW });
      const label = (k: number) => suggestion(k % 2 ? "ham" : "spam", { confidence: 0.5 + k / 20 });
      await page.items(
        Array.from({ length: 6 }, (_, k) => part(`i${k}`, { suggestion: label(k) })),
      );
      page.focus();
      for (const one of ops) {
        if ("key" in one) await page.press(one.key);
        else if ("told" in one) await page.ack({ ...status(one.told), left: 6 });
        else page.controller.act({ type: "link", link: one.link as "live" | "busy" | "gone" });
        await settle();
        expect(page.el.innerHTML).toBe(await afresh(page));
      }
      page.close();
    }),
    { numRuns: 40 },
  );
}, 60_000);
