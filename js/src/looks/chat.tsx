// A conversation, turn by turn: text is text.

import type { Look, Shown } from "../modules";
import css from "./chat.css";
import { make, textOf } from "./paper";
import { Scrolled } from "./scrolled";

class Chat extends Scrolled {
  constructor(el: HTMLElement) {
    super(el, "nblabel-chat", css);
  }

  show(shown: Shown): void {
    const turns = shown.view.data["turns"];
    const all = Array.isArray(turns) ? (turns as Readonly<Record<string, unknown>>[]) : [];
    this.box.replaceChildren(
      ...all.map((turn) => {
        const made = make("section", "nblabel-turn");
        const said = make("div", "", textOf(turn["text"]));
        made.dataset["role"] = textOf(turn["role"]).toLowerCase();
        said.dir = "auto";
        made.append(make("small", "", textOf(turn["role"])), said);
        return made;
      }),
    );
    if (!all.length) this.box.append(make("span", "nblabel-missing", "nothing was said"));
  }
}

const look: Look = { mount: (el) => new Chat(el) };

export default look;
