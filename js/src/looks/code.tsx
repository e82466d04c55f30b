// Code with line numbers; every piece is a text, whatever it says.

import { count } from "../format";
import { pressName, type Press } from "../keymap";
import type { Look, MountedLook, Shown } from "../modules";
import { MOST_SHOWN, cut } from "../text";
import css from "./code.css";
import { pieces } from "./highlight";
import { SCROLL_KEYS, button, make, scroll, styled, textOf } from "./paper";

/** Beyond so many characters a page of coloured pieces would be slow. */
const MOST_COLORED = 300_000;

class Code implements MountedLook {
  readonly keys = SCROLL_KEYS;
  private readonly box = make("div", "nblabel-code");

  constructor(private readonly el: HTMLElement) {
    styled(el, css);
    this.box.dir = "ltr";
    el.append(this.box);
  }

  show(shown: Shown): void {
    this.draw(shown, false);
  }

  press(press: Press): boolean {
    return scroll(this.el, pressName(press));
  }

  destroy(): void {
    this.box.remove();
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
