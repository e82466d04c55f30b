// Text that is written: enter goes into it, ctrl and enter send it, escape leaves it.

import type { TaskSpec } from "../keymap";
import { Submit, controls, type Logic, type ViewProps } from "./base";
import css from "./freetext.css";

interface Options {
  readonly placeholder: string;
  readonly lines: number;
  readonly required: boolean;
}

const options = (task: TaskSpec) => task as unknown as Options;
const textOf = (value: unknown): string | null => (typeof value === "string" ? value : null);

export const logic: Logic<string> = {
  begin: (_task, shown) => textOf(shown.label) ?? textOf(shown.suggestion?.label) ?? "",
  value: (task, draft) =>
    draft.trim() || !options(task).required
      ? { value: draft.trim() }
      : { wrong: "Write something, or skip the item." },
  press: (_task, draft, key, field) => {
    if (key === "ctrl+enter") return { submit: draft };
    if (field) return null;
    if (key === "enter") return { focus: true };
    return key === "space" ? { submit: draft } : null;
  },
  keys: () => [
    { keys: ["enter"], does: "write; Esc leaves the text" },
    { keys: ["ctrl+enter"], does: "send it" },
    { keys: ["space"], does: "send it as it is, when not writing" },
  ],
};

export function Field({
  task,
  draft,
  label,
  set,
}: {
  readonly task: TaskSpec;
  readonly draft: string;
  readonly label: string;
  readonly set: (text: string) => void;
}) {
  return (
    <textarea
      class="nblabel-write"
      dir="auto"
      rows={options(task).lines}
      aria-label={label}
      placeholder={options(task).placeholder || "Enter to write, Ctrl+Enter to send"}
      value={draft}
      onInput={(event) => set(event.currentTarget.value)}
    />
  );
}

function View({ task, draft, wrong, set, submit }: ViewProps<string>) {
  return (
    <>
      <Field task={task} draft={draft} label={task.question ?? "text"} set={set} />
      <Submit
        wrong={wrong}
        hint={draft ? `${draft.length} characters` : ""}
        cap="Ctrl ↵"
        onSubmit={() => submit(draft)}
      />
    </>
  );
}

export { css };
export default controls(logic, View, css);
