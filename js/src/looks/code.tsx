// Code with line numbers; every piece is a text, whatever it says.

import { count } from "../format";
import type { Look, Shown } from "../modules";
import { MOST_SHOWN, cut } from "../text";
import css from "./code.css";
import { pieces } from "./highlight";
import { button, make, textOf } from "./paper";
import { Scrolled } from "./scrolled";

/** Beyond so many characters a page of coloured pieces would be slow. */
const MOST_COLORED = 300_000;

class Code extends Scrolled {
  constructor(el: HTMLElement) {
    super(el, "nblabel-code", css);
    this.box.dir = "ltr";
  }

  show(shown: Shown): void {
    this.draw(shown, false);
  }

  private draw(shown: Shown, whole: boolean): void {
    const all = textOf(shown.view.data["text"]);
    const text = whole ? all : cut(all);
    const numbers = text
      .replace(/\n$/, "")
      .split("\n")
      .map((_, k) => k + 1);
    const source = make("pre");
    const language = textOf(shown.view.data["language"]);
    const parts = text.length > MOST_COLORED ? [{ text, kind: "" }] : pieces(text, language);
    source.append(
      ...parts.map((piece) => {
        if (!piece.kind) return document.createTextNode(piece.text);
        const part = make("span", "", piece.text);
        part.dataset["kind"] = piece.kind;
        return part;
      }),
    );
    this.box.replaceChildren(make("pre", "nblabel-numbers", numbers.join("\n")), source);
    if (all.length > MOST_SHOWN && !whole) {
      const more = `… show all ${count(all.length)} characters`;
      this.box.append(
        make("span"),
        button(more, more, () => this.draw(shown, true)),
      );
    }
  }
}

const look: Look = { mount: (el) => new Code(el) };

export default look;
