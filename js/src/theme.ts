// Light or dark, as the host is: from what is behind the widget, whatever the host calls it.

/** Sent on the followed element when its theme has changed. */
export const THEME_CHANGED = "nblabel-theme";

/** Relative luminance of an sRGB colour, 0 to 1. */
export function luminance(red: number, green: number, blue: number): number {
  const [r, g, b] = [red, green, blue].map((channel) => {
    const c = channel / 255;
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

/** Whether a CSS colour is dark; null if it is transparent or unreadable. */
export function isDark(color: string): boolean | null {
  const [, kind = "", inside = ""] = /^([a-z]+)\((.*)\)$/.exec(color) ?? [];
  const numbers = inside.match(/(?<![\w-])-?[\d.]+(?:e[-+]?\d+)?/g)?.map(Number) ?? [];
  const [first, second, third, alpha = 1] = numbers;
  if (first === undefined || second === undefined || third === undefined || alpha < 0.5)
    return null;
  const light = lightness(kind, first, second, third);
  return light === null ? null : light < 0.2;
}

/** Luminance of the colour spaces that a browser answers with, null for others. */
function lightness(kind: string, a: number, b: number, c: number): number | null {
  if (kind === "rgb" || kind === "rgba") return luminance(a, b, c);
  if (kind === "color") return luminance(a * 255, b * 255, c * 255);
  if (kind === "oklch" || kind === "oklab") return a ** 3;
  if (kind === "lch" || kind === "lab") return ((a + 16) / 116) ** 3;
  return null;
}

function detect(el: HTMLElement): "light" | "dark" {
  for (let node: Element | null = el; node; node = parentOf(node)) {
    const dark = isDark(getComputedStyle(node).backgroundColor);
    if (dark !== null && node !== el) return dark ? "dark" : "light";
  }
  return matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
}

/** The element around; out of a shadow root too. */
function parentOf(node: Element): Element | null {
  if (node.parentElement) return node.parentElement;
  const root = node.getRootNode();
  return root instanceof ShadowRoot ? root.host : null;
}

/** Keep `data-theme` of an element true to its host until the signal is aborted. */
export function followTheme(el: HTMLElement, signal: AbortSignal): void {
  const update = () => {
    const theme = detect(el);
    if (el.getAttribute("data-theme") === theme) return;
    el.setAttribute("data-theme", theme);
    el.dispatchEvent(new Event(THEME_CHANGED));
  };
  update();
  requestAnimationFrame(update);
  const soon = () => requestAnimationFrame(update);
  const observer = new MutationObserver(soon);
  const attributes = ["class", "style", "data-jp-theme-light", "data-jp-theme-name", "data-theme"];
  for (const node of [document.documentElement, document.body]) {
    observer.observe(node, { attributes: true, attributeFilter: attributes });
  }
  // A theme's style sheet arrives after its name has changed. The head changes at every label too:
  // its icon says that the kernel is busy, and to look at the style then would be a waste.
  const sheets = new MutationObserver((records) => {
    const nodes = records.flatMap((record) => [...record.addedNodes, ...record.removedNodes]);
    if (nodes.some(isSheet)) soon();
  });
  sheets.observe(document.head, { childList: true });
  const scheme = matchMedia("(prefers-color-scheme: dark)");
  scheme.addEventListener("change", update, { signal });
  const loaded = (event: Event) => {
    if (isSheet(event.target)) update();
  };
  document.addEventListener("load", loaded, { capture: true, signal });
  signal.addEventListener("abort", () => {
    observer.disconnect();
    sheets.disconnect();
  });
}

const isSheet = (node: unknown): boolean =>
  node instanceof HTMLStyleElement ||
  (node instanceof HTMLLinkElement && node.relList.contains("stylesheet"));
