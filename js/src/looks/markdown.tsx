// Markdown of the data: sanitised like its HTML, without links, styles and what would be fetched.

import { marked } from "marked";
import { pressName, type Press } from "../keymap";
import type { Look, MountedLook, Shown } from "../modules";
import { sanitize } from "../sanitize";
import css from "./markdown.css";
import { SCROLL_KEYS, make, scroll, styled, textOf } from "./paper";

/** What is shown of a source: inert nodes. */
export function rendered(source: string): DocumentFragment {
  const markup = marked.parse(source, { async: false, gfm: true });
  return sanitize(markup, { links: false, styles: false });
}

class Markdown implements MountedLook {
  readonly keys = SCROLL_KEYS;
  private readonly box = make("div", "nblabel-markdown");

  constructor(private readonly el: HTMLElement) {
    styled(el, css);
    this.box.dir = "auto";
    el.append(this.box);
  }

  show(shown: Shown): void {
    const source = textOf(shown.view.data["text"]);
    this.box.replaceChildren(rendered(source));
    if (!source.trim()) this.box.append(make("span", "nblabel-missing", "empty text"));
  }

  press(press: Press): boolean {
    return scroll(this.el, pressName(press));
  }

  destroy(): void {
    this.box.remove();
  }
}

const look: Look = { mount: (el) => new Markdown(el) };

export default look;
