// What the editors with controls below the item share: a draft, keys that change it, one submit.

import { render, type ComponentChildren, type FunctionComponent } from "preact";
import type { Editor, EditorHost, KeyHelp, Made, Mounted, Shown } from "../modules";
import { capOfLabel, pressName, type Press, type TaskSpec } from "../keymap";

/** What a key does to a draft; null if it means nothing. */
export type Effect<D> =
  | { readonly draft: D; readonly say?: string }
  | { readonly submit: D }
  | { readonly say: string }
  /** Go to the text that is to be written. */
  | { readonly focus: true }
  | null;

/** The part of an editor that touches no DOM. */
export interface Logic<D> {
  /** What the person starts from: the label so far, else the suggestion, else nothing. */
  begin(task: TaskSpec, shown: Shown): D;
  /** The value that a draft stands for, or why it cannot be sent yet. */
  value(task: TaskSpec, draft: D): Made;
  /** `field` says whether a text is being typed. */
  press(task: TaskSpec, draft: D, key: string, field: boolean): Effect<D>;
  keys(task: TaskSpec): readonly KeyHelp[];
}

export interface ViewProps<D> {
  readonly task: TaskSpec;
  readonly draft: D;
  readonly shown: Shown;
  /** Why the draft could not be sent. */
  readonly wrong: string;
  readonly set: (draft: D) => void;
  readonly submit: (draft: D) => void;
}

/** An editor of pure logic and a view of it. */
export function controls<D>(
  logic: Logic<D>,
  View: FunctionComponent<ViewProps<D>>,
  css: string,
): Editor {
  return {
    stage: false,
    mount: ({ controls: el }, host) => new Panel(logic, View, css, el, host),
  };
}

/** The place below the item, with the styles that go with what is drawn there. */
export class Below {
  private readonly style = document.createElement("style");
  readonly box = document.createElement("div");

  constructor(el: HTMLElement, css: string) {
    this.style.textContent = css;
    el.replaceChildren(this.style, this.box);
  }

  draw(what: ComponentChildren): void {
    render(what, this.box);
  }

  remove(): void {
    this.draw(null);
    this.style.remove();
    this.box.remove();
  }
}

/** An editor that draws the item itself, in the card. */
export const drawing = (
  make: new (stage: HTMLElement, controls: HTMLElement, host: EditorHost) => Mounted,
): Editor => ({
  stage: true,
  mount: ({ stage, controls }, host) => {
    if (!stage) throw new Error("nblabel: this editor needs a place for the item");
    return new make(stage, controls, host);
  },
});

export class Panel<D> implements Mounted {
  readonly keys;
  protected draft: D | null = null;
  protected shown: Shown | null = null;
  private wrong = "";
  private readonly below: Below;

  constructor(
    private readonly logic: Logic<D>,
    private readonly View: FunctionComponent<ViewProps<D>>,
    css: string,
    el: HTMLElement,
    protected readonly host: EditorHost,
  ) {
    this.keys = logic.keys(host.task);
    this.below = new Below(el, css);
  }

  show(shown: Shown | null): void {
    this.shown = shown;
    this.draft = shown && this.logic.begin(this.host.task, shown);
    this.wrong = "";
    this.draw();
  }

  press(press: Press, target: EventTarget | null): boolean {
    if (this.draft === null) return false;
    const effect = this.logic.press(
      this.host.task,
      this.draft,
      pressName(press),
      isField(target as Element | null),
    );
    if (!effect) return false;
    if ("submit" in effect) this.submit(effect.submit);
    else if ("focus" in effect)
      this.below.box.querySelector<HTMLElement>("textarea, input")?.focus();
    else {
      if ("draft" in effect) this.set(effect.draft);
      if (effect.say) this.host.say(effect.say);
    }
    return true;
  }

  destroy(): void {
    this.below.remove();
  }

  protected set(draft: D): void {
    this.draft = draft;
    this.wrong = "";
    this.draw();
  }

  protected submit(draft: D): void {
    const made = this.logic.value(this.host.task, draft);
    if ("value" in made) {
      const writing = isField(document.activeElement);
      this.host.submit(made.value);
      // Who writes goes on writing; a button that was clicked must not keep the keys.
      if (!writing) this.host.home();
      return;
    }
    this.draft = draft;
    this.wrong = made.wrong;
    this.host.say(made.wrong);
    this.draw();
  }

  private draw(): void {
    const { View, draft, shown } = this;
    this.below.draw(
      shown && draft !== null ? (
        <View
          task={this.host.task}
          draft={draft}
          shown={shown}
          wrong={this.wrong}
          set={(next: D) => this.set(next)}
          submit={(next: D) => this.submit(next)}
        />
      ) : null,
    );
  }
}

const isField = (el: Element | null): boolean =>
  el instanceof HTMLTextAreaElement || (el instanceof HTMLInputElement && el.type !== "range");

/** The class whose key this is. */
export const classOf = (task: TaskSpec, key: string): string | undefined =>
  task.classes.find((one) => Object.hasOwn(task.keys, one) && task.keys[one] === key);

/** What stands on the button of a label: its key and its name. */
export function LabelFace({ task, name }: { readonly task: TaskSpec; readonly name: string }) {
  const cap = capOfLabel(task, name);
  return (
    <>
      {cap && <kbd>{cap}</kbd>}
      <span class="nblabel-name" dir="auto">
        {name}
      </span>
    </>
  );
}

/** A button for each label; `current` is the one that is named now, where there is one. */
export function LabelButtons({
  task,
  current,
  onPick,
}: {
  readonly task: TaskSpec;
  readonly current?: string;
  readonly onPick: (name: string) => void;
}) {
  return (
    <div class="nblabel-labels" role="group" aria-label="labels">
      {task.classes.map((name, k) => (
        <button
          key={name}
          type="button"
          class={`nblabel-label nblabel-k${k % 10}`}
          data-label={name}
          aria-pressed={current === undefined ? undefined : name === current}
          title={name}
          onClick={() => onPick(name)}
        >
          <LabelFace task={task} name={name} />
        </button>
      ))}
    </div>
  );
}

/** The line below the controls: what is wrong, and the way on. */
export function Submit({
  wrong,
  hint,
  onSubmit,
  cap = "↵",
}: {
  readonly wrong: string;
  readonly hint: string;
  readonly onSubmit: () => void;
  readonly cap?: string;
}) {
  return (
    <div class="nblabel-submit">
      <span class={wrong ? "nblabel-wrong" : "nblabel-soft"} role={wrong ? "alert" : undefined}>
        {wrong || hint}
      </span>
      <button type="button" class="nblabel-button nblabel-main" onClick={onSubmit}>
        done <kbd>{cap}</kbd>
      </button>
    </div>
  );
}
