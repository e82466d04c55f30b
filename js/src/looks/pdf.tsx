// Pages of a document: turned by keys, each fetched when it is looked at.

import { pressName, type Press } from "../keymap";
import { addressOf } from "../media";
import type { Look, LookHost, MountedLook, Shown } from "../modules";
import css from "./pdf.css";
import { button, bytesOf, make, scroll, styled, textOf } from "./paper";
import { whole } from "./stream";

/** Widths of a page, in shares of the card's. */
const WIDTHS: readonly number[] = [0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3];
const USUAL = WIDTHS.indexOf(0.8);

/** What a key does to the page that is seen; null if nothing. Pages count from 1. */
export function turned(page: number, pages: number, key: string): number | null {
  const to = { "shift+right": page + 1, "shift+left": page - 1, home: 1, end: pages }[key];
  return to === undefined ? null : Math.min(pages, Math.max(1, to));
}

class Document implements MountedLook {
  readonly keys = [
    { keys: ["shift+left", "shift+right"], does: "from page to page" },
    { keys: ["home", "end"], does: "to the first or the last page" },
    { keys: ["up", "down"], does: "move the page" },
    { keys: ["-", "+"], does: "smaller, larger" },
  ];
  private readonly name = make("span", "nblabel-pdf-name");
  private readonly place = make("output");
  private readonly wrong = make("p", "nblabel-soft");
  private readonly sheet = make("div", "nblabel-sheet-of-paper");
  private readonly turns: readonly HTMLElement[];
  /** Pages of this document that were fetched already. */
  private readonly pages = new Map<number, HTMLImageElement>();
  private shown: Shown | null = null;
  private abort = new AbortController();
  private page = 1;
  private width = USUAL;

  constructor(
    private readonly el: HTMLElement,
    private readonly host: LookHost,
  ) {
    styled(el, css);
    const box = make("div", "nblabel-pdf");
    const bar = make("div", "nblabel-pdf-bar");
    const key = (name: string) => () => void this.key(name);
    this.turns = [
      button("‹", "the page before (Shift+←)", key("shift+left")),
      this.place,
      button("›", "the next page (Shift+→)", key("shift+right")),
    ];
    bar.append(
      ...this.turns,
      button("−", "smaller (-)", key("-")),
      button("+", "larger (+)", key("+")),
      this.name,
    );
    this.wrong.setAttribute("role", "alert");
    box.append(bar, this.sheet, this.wrong);
    el.append(box);
  }

  show(shown: Shown): void {
    if (shown.id === this.shown?.id && shown.view === this.shown.view) return;
    this.clear();
    this.shown = shown;
    this.page = 1;
    const { data } = shown.view;
    this.name.textContent = this.name.title = textOf(data["name"]);
    for (const one of this.turns) one.hidden = this.count < 2;
    this.keep(1, addressOf(data["mime"], bytesOf(shown.buffers[0])));
    this.draw();
  }

  press(press: Press): boolean {
    return this.key(pressName(press));
  }

  destroy(): void {
    this.clear();
  }

  private get count(): number {
    return Math.max(1, Number(this.shown?.view.data["pages"]) || 1);
  }

  private key(key: string): boolean {
    if (key === "+" || key === "=" || key === "-") {
      const next = this.width + (key === "-" ? -1 : 1);
      this.width = Math.min(WIDTHS.length - 1, Math.max(0, next));
      this.draw();
      return true;
    }
    const page = turned(this.page, this.count, key);
    if (page === null || this.count < 2) return scroll(this.el, key);
    if (page !== this.page) void this.go(page);
    return true;
  }

  private async go(page: number): Promise<void> {
    this.page = page;
    this.wrong.textContent = "";
    this.el.closest(".nblabel-card")?.scrollTo({ top: 0 });
    this.draw();
    const { shown } = this;
    const { signal } = this.abort;
    if (!shown || this.pages.has(page)) return;
    try {
      const parts = await whole(shown, String(page), signal);
      if (signal.aborted) return;
      // Whichever bitmap it is, the browser tells by its bytes.
      this.keep(page, URL.createObjectURL(new Blob(parts, { type: "image/png" })));
    } catch (error) {
      if (!signal.aborted && this.page === page)
        this.wrong.textContent = `This page cannot be had: ${(error as Error).message}`;
    }
    if (this.page === page) this.draw();
  }

  private keep(page: number, address: string): void {
    const image = make("img");
    image.src = address;
    image.alt = `page ${page} of item ${this.shown?.name ?? ""}`;
    this.pages.set(page, image);
  }

  private draw(): void {
    const image = this.pages.get(this.page);
    this.place.textContent = `page ${this.page} of ${this.count}`;
    if (image) image.style.width = `${100 * (WIDTHS[this.width] ?? 1)}%`;
    // A page that is on its way leaves the one before on the screen, paler.
    this.sheet.style.opacity = image || this.wrong.textContent ? "" : "0.4";
    if (image) this.sheet.replaceChildren(image);
    if (image) this.host.say(this.place.textContent);
  }

  private clear(): void {
    this.abort.abort();
    this.abort = new AbortController();
    for (const image of this.pages.values()) URL.revokeObjectURL(image.src);
    this.pages.clear();
    this.sheet.replaceChildren();
    this.wrong.textContent = "";
  }
}

const look: Look = { mount: (el, host) => new Document(el, host) };

export default look;
