// Markdown of the data: sanitised like its HTML, without links, styles and what would be fetched.

import { marked } from "marked";
import type { Look, Shown } from "../modules";
import { sanitize } from "../sanitize";
import css from "./markdown.css";
import { make, textOf } from "./paper";
import { Scrolled } from "./scrolled";

/** What is shown of a source: inert nodes. */
export function rendered(source: string): DocumentFragment {
  const markup = marked.parse(source, { async: false, gfm: true });
  return sanitize(markup, { links: false, styles: false });
}

class Markdown extends Scrolled {
  constructor(el: HTMLElement) {
    super(el, "nblabel-markdown", css);
    this.box.dir = "auto";
  }

  show(shown: Shown): void {
    const source = textOf(shown.view.data["text"]);
    this.box.replaceChildren(rendered(source));
    if (!source.trim()) this.box.append(make("span", "nblabel-missing", "empty text"));
  }
}

const look: Look = { mount: (el) => new Markdown(el) };

export default look;
