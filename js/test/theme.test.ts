// @vitest-environment happy-dom
import { afterEach, describe, expect, test, vi } from "vitest";
import { followTheme, isDark, luminance } from "../src/theme";

test("luminance of black, white and the primaries", () => {
  expect(luminance(0, 0, 0)).toBe(0);
  expect(luminance(255, 255, 255)).toBeCloseTo(1, 6);
  expect(luminance(255, 0, 0)).toBeCloseTo(0.2126, 4);
  expect(luminance(0, 255, 0)).toBeCloseTo(0.7152, 4);
  expect(luminance(10, 10, 10)).toBeCloseTo(0.003, 3);
});

test.each([
  ["rgb(255, 255, 255)", false],
  ["rgb(17, 17, 17)", true],
  ["rgba(17, 17, 17, 0.9)", true],
  ["rgba(0, 0, 0, 0)", null],
  ["rgba(255, 255, 255, 0.2)", null],
  ["rgb(38 50 56)", true],
  ["color(srgb 1 1 1)", false],
  ["color(srgb 0.1 0.1 0.1 / 0.2)", null],
  ["color(display-p3 0.05 0.05 0.05)", true],
  ["oklch(1 0 0)", false],
  ["oklch(0.205 0 0)", true],
  ["oklab(0.99 -0.001 1e-7)", false],
  ["lab(98 0 0)", false],
  ["lch(12 3 200)", true],
  ["hwb(1 2 3)", null],
  ["transparent", null],
  ["", null],
  ["none", null],
])("%j is dark: %j", (color, dark) => {
  expect(isDark(color)).toBe(dark);
});

describe("following the host", () => {
  afterEach(() => {
    document.body.innerHTML = "";
    document.body.removeAttribute("style");
    vi.restoreAllMocks();
  });

  const page = (style: string) => {
    document.body.innerHTML = `<div style="${style}"><div><p></p></div></div>`;
    return document.querySelector("p")!;
  };

  test("the nearest background behind the widget decides", () => {
    const abort = new AbortController();
    const dark = page("background-color: rgb(17, 17, 17)");
    followTheme(dark, abort.signal);
    expect(dark.getAttribute("data-theme")).toBe("dark");
    const light = page("background-color: rgb(250, 250, 250)");
    followTheme(light, abort.signal);
    expect(light.getAttribute("data-theme")).toBe("light");
    abort.abort();
  });

  test("through the border of a shadow root", () => {
    const abort = new AbortController();
    const host = page("background-color: rgb(17, 17, 17)");
    const inner = document.createElement("div");
    host.attachShadow({ mode: "open" }).append(inner);
    followTheme(inner, abort.signal);
    expect(inner.getAttribute("data-theme")).toBe("dark");
    abort.abort();
  });

  test("without any background the person's preference decides, and a change is noticed", async () => {
    const abort = new AbortController();
    const el = page("");
    vi.spyOn(window, "matchMedia").mockReturnValue({
      matches: true,
      addEventListener: () => undefined,
    } as unknown as MediaQueryList);
    followTheme(el, abort.signal);
    expect(el.getAttribute("data-theme")).toBe("dark");
    document.body.style.backgroundColor = "rgb(255, 255, 255)";
    await vi.waitFor(() => expect(el.getAttribute("data-theme")).toBe("light"));
    abort.abort();
  });
});
