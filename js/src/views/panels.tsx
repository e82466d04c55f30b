// What opens over or between: instructions, a note, the sheet of keys, an error.

import { useLayoutEffect, useRef } from "preact/hooks";
import type { Controller } from "../controller";
import { bindings, capOfLabel, isChoice, isMany, keyCap, type TaskSpec } from "../keymap";
import type { KeyHelp, Markdown } from "../modules";
import { useModule } from "./slots";

/** As they were written, until they can be set. */
export function Instructions({ controller }: { controller: Controller }) {
  const { instructions } = controller.config;
  const box = useRef<HTMLElement>(null);
  const markdown = useModule<Markdown>(controller, "panel-instructions");
  useLayoutEffect(() => {
    box.current?.replaceChildren(
      typeof markdown === "function" ? markdown(instructions) : instructions,
    );
  }, [markdown]);
  return (
    <section
      class="nblabel-instructions"
      aria-label="instructions"
      dir="auto"
      data-ready={markdown !== null}
      ref={box}
    />
  );
}

interface NoteProps {
  readonly text: string;
  /** What is written so far, for who closes the panel from outside. */
  readonly draft: { current: string | null };
  readonly onSave: (text: string) => void;
  readonly onClose: () => void;
}

export function NotePanel({ text, draft, onSave, onClose }: NoteProps) {
  const area = useRef<HTMLTextAreaElement>(null);
  useLayoutEffect(() => area.current?.focus(), []);
  const save = () => onSave(area.current?.value ?? "");
  return (
    <div class="nblabel-note">
      <textarea
        ref={area}
        rows={2}
        dir="auto"
        aria-label="note on this item"
        placeholder="A note on this item: Enter keeps it, Esc drops it, Shift+Enter starts a new line"
        onKeyDown={(event) => {
          if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
            event.preventDefault();
            save();
          }
        }}
        onInput={(event) => {
          draft.current = event.currentTarget.value;
        }}
        defaultValue={text}
      />
      <div class="nblabel-buttons">
        <button type="button" class="nblabel-button nblabel-main" onClick={save}>
          keep
        </button>
        <button type="button" class="nblabel-button" onClick={onClose}>
          cancel
        </button>
      </div>
    </div>
  );
}

interface SheetProps {
  readonly task: TaskSpec;
  /** Keys of the editor and of the look on the screen. */
  readonly more: readonly KeyHelp[];
  /** Whether many items are on one page: then those are the keys. */
  readonly many: boolean;
  readonly onClose: () => void;
}

export function Sheet({ task, more, many, onClose }: SheetProps) {
  const close = useRef<HTMLButtonElement>(null);
  useLayoutEffect(() => close.current?.focus({ preventScroll: true }), []);
  const keyed = task.classes.filter((name) => capOfLabel(task, name));
  return (
    <div class="nblabel-sheet" role="dialog" aria-label="keys" aria-modal="true">
      <div class="nblabel-sheet-top">
        <strong>Keys</strong>
        <button ref={close} type="button" class="nblabel-button" onClick={onClose}>
          close <kbd>Esc</kbd>
        </button>
      </div>
      <div class="nblabel-sheet-columns">
        <dl>
          {keyed.map((name) => (
            <div key={name}>
              <dt>
                <kbd>{capOfLabel(task, name)}</kbd>
              </dt>
              <dd dir="auto">{name}</dd>
            </div>
          ))}
          {!many && <Helps more={more} />}
          {isMany(task) && (
            <div>
              <dt>
                <kbd>a…</kbd>
              </dt>
              <dd>type part of any label, ↑ ↓ choose, ↵ takes it</dd>
            </div>
          )}
        </dl>
        <dl>
          {many && <Helps more={more} />}
          {bindings(task)
            .filter((binding) => !many || ["retrain", "sheet"].includes(binding.command))
            .filter((binding) => binding.command !== "search" || isMany(task))
            .filter((binding) => binding.command !== "accept" || isChoice(task))
            .map((binding) => (
              <div key={binding.command}>
                <dt>
                  {binding.keys.map((key) => (
                    <kbd key={key}>{keyCap(key)}</kbd>
                  ))}
                </dt>
                <dd>{binding.does}</dd>
              </div>
            ))}
        </dl>
      </div>
    </div>
  );
}

function Helps({ more }: Pick<SheetProps, "more">) {
  return (
    <>
      {more.map(({ keys, does }) => (
        <div key={does}>
          <dt>
            {keys.map((key) => (
              <kbd key={key}>{keyCap(key)}</kbd>
            ))}
          </dt>
          <dd>{does}</dd>
        </div>
      ))}
    </>
  );
}

interface ErrorProps {
  readonly title: string;
  readonly text: string;
  readonly onRetry: () => void;
  readonly onClose: () => void;
}

export function ErrorPanel({ title, text, onRetry, onClose }: ErrorProps) {
  return (
    <div class="nblabel-error" role="alert">
      <div class="nblabel-sheet-top">
        <strong>{title} Labeling goes on.</strong>
        <span class="nblabel-buttons">
          <button type="button" class="nblabel-button" onClick={onRetry}>
            train again
          </button>
          <button type="button" class="nblabel-button" onClick={onClose}>
            close <kbd>Esc</kbd>
          </button>
        </span>
      </div>
      <pre tabIndex={0}>{text}</pre>
    </div>
  );
}
