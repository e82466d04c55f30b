// The labels to choose from: buttons for a few, a field to type in for many.

import type { RefObject } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { Columns, Hint, Share } from "../share";
import { capOfLabel, type TaskSpec } from "../keymap";
import type { SuggestionPart } from "../protocol";
import { memo } from "./memo";

interface Props {
  readonly task: TaskSpec;
  readonly chosen: string | null;
  readonly suggestion: SuggestionPart | null;
  readonly matches: readonly string[];
  readonly typed: string;
  readonly picked: number;
  readonly disabled: boolean;
  readonly many: boolean;
  readonly input: RefObject<HTMLInputElement | null>;
  readonly onType: (text: string) => void;
  readonly onPick: (value: string) => void;
}

export const Labels = memo(function Labels(props: Props) {
  return props.many ? <Many {...props} /> : <Few {...props} />;
});

function Few({ task, chosen, suggestion, disabled, onPick }: Props) {
  const shares = new Map(suggestion?.ranking ?? []);
  return (
    <Columns classes={task.classes}>
      {task.classes.map((name, k) => (
        <LabelButton
          key={name}
          name={name}
          color={k}
          cap={capOfLabel(task, name)}
          share={shares.get(name) ?? null}
          suggested={suggestion?.label === name}
          chosen={chosen === name}
          disabled={disabled}
          onPick={onPick}
        />
      ))}
    </Columns>
  );
}

/** How many of the model's best guesses stand above the list. */
const TOP = 3;

function Many({
  task,
  chosen,
  suggestion,
  matches,
  typed,
  picked,
  disabled,
  input,
  onType,
  onPick,
}: Props) {
  const list = useRef<HTMLDivElement>(null);
  const shown = Math.min(picked, matches.length - 1);
  const top = suggestion?.ranking.slice(0, TOP) ?? [];
  const longest = Math.max(...task.classes.map((name) => name.length));
  const active = typed ? matches[shown] : undefined;
  useEffect(() => {
    list.current?.querySelector(".nblabel-picked")?.scrollIntoView({ block: "nearest" });
  }, [active]);
  return (
    <div class="nblabel-many">
      {/* The place of the guesses is kept free when there are none, so that nothing jumps. */}
      <div class="nblabel-labels nblabel-guesses" role="group" aria-label="suggested labels">
        {top.map(([name, share]) => (
          <LabelButton
            key={name}
            name={name}
            color={task.classes.indexOf(name)}
            cap=""
            share={share}
            suggested={suggestion?.label === name}
            chosen={chosen === name}
            disabled={disabled}
            onPick={onPick}
          />
        ))}
        {!top.length && <p class="nblabel-soft">Type a few letters of a label, then Enter.</p>}
      </div>
      <input
        ref={input}
        class="nblabel-search"
        type="text"
        role="combobox"
        aria-expanded={typed !== ""}
        aria-controls="nblabel-matches"
        aria-label="find a label"
        autocomplete="off"
        spellcheck={false}
        placeholder={`type to find one of ${task.classes.length} labels`}
        value={typed}
        disabled={disabled}
        onInput={(event) => onType(event.currentTarget.value)}
      />
      <div
        style={{ "--nbl-chip": `${Math.min(44 + 7 * longest, 380)}px` }}
        class="nblabel-chips"
        role="listbox"
        aria-label="labels"
        ref={list}
        id="nblabel-matches"
      >
        {matches.map((name) => (
          <button
            key={name}
            type="button"
            role="option"
            tabIndex={-1}
            aria-selected={name === active}
            class={`nblabel-chip${name === active ? " nblabel-picked" : ""}${chosen === name ? " nblabel-chosen" : ""}`}
            title={name}
            disabled={disabled}
            onClick={() => onPick(name)}
          >
            {capOfLabel(task, name) && !typed && <kbd>{capOfLabel(task, name)}</kbd>}
            <span dir="auto">{name}</span>
          </button>
        ))}
        {!matches.length && <p class="nblabel-soft">No label is called “{typed}”.</p>}
      </div>
    </div>
  );
}

interface ButtonProps {
  readonly name: string;
  readonly color: number;
  readonly cap: string;
  readonly share: number | null;
  readonly suggested: boolean;
  readonly chosen: boolean;
  readonly disabled: boolean;
  readonly onPick: (value: string) => void;
}

function LabelButton({
  name,
  color,
  cap,
  share,
  suggested,
  chosen,
  disabled,
  onPick,
}: ButtonProps) {
  return (
    <button
      type="button"
      class={`nblabel-label nblabel-k${Math.max(color, 0) % 10}${chosen ? " nblabel-chosen" : ""}`}
      data-label={name}
      aria-pressed={chosen}
      aria-keyshortcuts={cap || undefined}
      title={name}
      disabled={disabled}
      onClick={() => onPick(name)}
    >
      {cap && <kbd>{cap}</kbd>}
      <span class="nblabel-name" dir="auto">
        {name}
      </span>
      <Share share={share} />
      {/* Its place is kept where it is not seen: nothing moves when the suggestion does. */}
      <span
        class={suggested ? "nblabel-accept nblabel-offered" : "nblabel-accept"}
        title="space accepts the suggestion"
      >
        <kbd>␣</kbd>
      </span>
      <Hint share={share} suggested={suggested} />
    </button>
  );
}
