// A conversation, turn by turn: text is text.

import { pressName, type Press } from "../keymap";
import type { Look, MountedLook, Shown } from "../modules";
import css from "./chat.css";
import { SCROLL_KEYS, make, scroll, styled, textOf } from "./paper";

class Chat implements MountedLook {
  readonly keys = SCROLL_KEYS;
  private readonly box = make("div", "nblabel-chat");

  constructor(private readonly el: HTMLElement) {
    styled(el, css);
    el.append(this.box);
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

  press(press: Press): boolean {
    return scroll(this.el, pressName(press));
  }

  destroy(): void {
    this.box.remove();
  }
}

const look: Look = { mount: (el) => new Chat(el) };

export default look;
