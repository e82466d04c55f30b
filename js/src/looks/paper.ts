// A canvas that keeps its size and its colours, and a few things for the page around it.

import { THEME_CHANGED } from "../theme";

/** How many things that are drawn over each other have a color of their own. */
export const COLORS = 8;

export interface Colors {
  readonly ink: string;
  readonly soft: string;
  readonly line: string;
  readonly brand: string;
  readonly bg: string;
  readonly classes: readonly string[];
}

/** Draws again when the size or the theme changes; its box has to be in the page. */
export class Paper {
  readonly canvas = document.createElement("canvas");
  private readonly observer: ResizeObserver;
  private readonly around: Element | null;
  private readonly again = () => this.draw();

  constructor(
    box: HTMLElement,
    private height: number,
    private readonly paint: (c: CanvasRenderingContext2D, width: number, colors: Colors) => void,
  ) {
    this.canvas.style.cssText = "display:block;width:100%";
    this.tall(height);
    box.append(this.canvas);
    this.around = box.closest(".nblabel");
    this.around?.addEventListener(THEME_CHANGED, this.again);
    this.observer = new ResizeObserver(this.again);
    this.observer.observe(this.canvas);
  }

  /** Be so many pixels tall from the next drawing on. */
  tall(height: number): void {
    this.height = height;
    this.canvas.style.height = `${height}px`;
  }

  draw(): void {
    const width = this.canvas.clientWidth;
    const context = this.canvas.getContext("2d");
    if (!context || width === 0) return;
    const scale = window.devicePixelRatio || 1;
    this.canvas.width = Math.round(width * scale);
    this.canvas.height = Math.round(this.height * scale);
    context.scale(scale, scale);
    const style = getComputedStyle(this.canvas);
    const color = (name: string) => style.getPropertyValue(`--nbl-${name}`).trim() || "#777";
    this.paint(context, width, {
      ink: color("ink"),
      soft: color("soft"),
      line: color("line"),
      brand: color("brand"),
      bg: color("bg"),
      classes: Array.from({ length: COLORS }, (_, k) => color(`c${k}`)),
    });
  }

  destroy(): void {
    this.observer.disconnect();
    this.around?.removeEventListener(THEME_CHANGED, this.again);
    this.canvas.remove();
  }
}

/** An element with a class and a text, which is never markup. */
export function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  className = "",
  text = "",
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text) element.textContent = text;
  return element;
}

/** A button that gives the keys back to the labeler. */
export function button(text: string, title: string, onClick: () => void): HTMLButtonElement {
  const made = make("button", "nblabel-button", text);
  made.type = "button";
  made.title = title;
  made.setAttribute("aria-label", title);
  made.addEventListener("click", () => {
    onClick();
    made.closest<HTMLElement>(".nblabel")?.focus({ preventScroll: true });
  });
  return made;
}

/** A button with its key on it. */
export function keyed(
  text: string,
  key: string,
  onClick: () => void,
  does = text,
): HTMLButtonElement {
  const made = button(text, does, onClick);
  made.append(" ", make("kbd", "", key));
  return made;
}

/** New children only where something is new: a control that is replaced would lose the focus. */
export function replaced(
  el: HTMLElement,
  key: string,
  children: () => readonly HTMLElement[],
): void {
  if (el.dataset["is"] === key) return;
  el.dataset["is"] = key;
  el.replaceChildren(...children());
}

export function styled(el: HTMLElement, css: string): void {
  const style = document.createElement("style");
  style.textContent = css;
  el.replaceChildren(style);
}

export const textOf = (value: unknown): string => (typeof value === "string" ? value : "");

/** The bytes of a buffer, as a copy: it may lie anywhere in a larger message. */
export function bytesOf(buffer: DataView | undefined): Uint8Array<ArrayBuffer> {
  if (!buffer) return new Uint8Array(0);
  return new Uint8Array(buffer.buffer as ArrayBuffer, buffer.byteOffset, buffer.byteLength).slice();
}

/** Up and down move the card, where it is longer than its place. */
export function scroll(el: HTMLElement, key: string): boolean {
  const by = { up: -60, down: 60, pageup: -300, pagedown: 300 }[key];
  const card = el.closest<HTMLElement>(".nblabel-card");
  if (by === undefined || !card || card.scrollHeight <= card.clientHeight) return false;
  card.scrollBy({ top: by });
  return true;
}
