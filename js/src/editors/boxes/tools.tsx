// Below the image: what is drawn next, how the image is looked at, the labels, and all shapes as text.

import type { TaskSpec } from "../../keymap";
import { LabelButtons } from "../base";
import * as d from "../drawing";
import { TONE, ZOOM_STEP, filterOf, percent, type Sight } from "../../viewing";

interface ToolsProps {
  readonly draft: d.Draft;
  readonly task: TaskSpec;
  readonly sight: Sight;
  /** A key as it is printed. */
  readonly cap: (name: string) => string;
  readonly onKind: (kind: d.Kind) => void;
  readonly onNew: () => void;
  readonly onZoom: (factor: number) => void;
  readonly onWhole: () => void;
  readonly onTone: (tone: Partial<Sight>) => void;
  readonly onPlain: () => void;
  readonly onLabel: (name: string) => void;
}

export function Tools(props: ToolsProps) {
  const { draft, task, sight, cap } = props;
  const kinds = d.kindsOf(task);
  const current = d.activeOf(draft)?.label ?? draft.label;
  return (
    <>
      <div class="nblabel-tools" role="group" aria-label="drawing">
        <span class="nblabel-toolset">
          {kinds.length > 1 &&
            kinds.map((kind) => (
              <button
                key={kind}
                type="button"
                class="nblabel-button"
                aria-pressed={draft.kind === kind}
                onClick={() => props.onKind(kind)}
              >
                {kind}
              </button>
            ))}
          {kinds.length > 1 && <kbd title="the next of them">{cap("t")}</kbd>}
          <button type="button" class="nblabel-button" onClick={props.onNew}>
            new {draft.kind} <kbd>{cap("a")}</kbd>
          </button>
        </span>
        <span class="nblabel-toolset">
          <button
            type="button"
            class="nblabel-button"
            aria-label="further"
            onClick={() => props.onZoom(1 / ZOOM_STEP)}
          >
            −
          </button>
          <button
            type="button"
            class="nblabel-button nblabel-zoom"
            title="show all of it (0)"
            aria-label={`zoom ${percent(sight.zoom)}: show all of it`}
            onClick={props.onWhole}
          >
            {percent(sight.zoom)}
          </button>
          <button
            type="button"
            class="nblabel-button"
            aria-label="closer"
            onClick={() => props.onZoom(ZOOM_STEP)}
          >
            +
          </button>
        </span>
        <span class="nblabel-toolset">
          <Tone
            name="brightness"
            caps={[cap("d"), cap("b")]}
            value={sight.brightness}
            onInput={(brightness) => props.onTone({ brightness })}
          />
          <Tone
            name="contrast"
            caps={[cap("l"), cap("k")]}
            value={sight.contrast}
            onInput={(contrast) => props.onTone({ contrast })}
          />
          <button
            type="button"
            class="nblabel-button"
            disabled={!filterOf(sight)}
            onClick={props.onPlain}
          >
            as it is <kbd>{cap("o")}</kbd>
          </button>
        </span>
      </div>
      <LabelButtons task={task} current={current} onPick={props.onLabel} />
      <ol class="nblabel-heard" aria-label="shapes">
        {draft.shapes.map((shape, k) => (
          <li key={k} aria-current={k === draft.active || undefined}>
            {d.inWords(shape)}
          </li>
        ))}
      </ol>
    </>
  );
}

function Tone({
  name,
  caps: [less, more],
  value,
  onInput,
}: {
  readonly name: string;
  /** Keys for less and for more. */
  readonly caps: readonly [string, string];
  readonly value: number;
  readonly onInput: (value: number) => void;
}) {
  return (
    <label class="nblabel-tone">
      {name} <kbd>{less}</kbd>
      <input
        type="range"
        aria-label={name}
        min={TONE.least}
        max={TONE.most}
        step={TONE.step}
        value={value}
        aria-valuetext={percent(value)}
        onInput={(event) => onInput(Number(event.currentTarget.value))}
      />
      <kbd>{more}</kbd>
    </label>
  );
}

/** What the keys are about now. */
export function hintOf(draft: d.Draft): string {
  if (draft.open.length) {
    const corners = `${draft.open.length} ${draft.open.length === 1 ? "corner" : "corners"}`;
    return `${corners}; ↵ or a click on the first closes the polygon`;
  }
  const shape = d.activeOf(draft);
  if (draft.corner !== null) return `corner ${draft.corner + 1}: arrows move it`;
  if (shape) return `${shape.label} selected: arrows move it, with Alt they size it`;
  const { length } = draft.shapes;
  return length ? `${length} ${length === 1 ? "shape" : "shapes"}` : "nothing marked";
}
