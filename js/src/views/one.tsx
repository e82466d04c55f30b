// The item on the screen and what it is answered with: all that is drawn anew with every key.

import type { RefObject } from "preact";
import { useRef, useState } from "preact/hooks";
import type { Controller } from "../controller";
import { isChoice, isMany } from "../keymap";
import type { Mounted } from "../modules";
import { current, visibleSuggestion, type Item, type State } from "../state";
import { Card } from "./card";
import { Labels } from "./labels";
import { memo } from "./memo";
import { EditorSlot } from "./slots";

/** Whether the item can be answered now. */
export const isLabelable = ({ phase, link }: State, item: Item | null): boolean =>
  phase === "ready" && link !== "gone" && item !== null;

interface Props {
  readonly controller: Controller;
  /** Whether the map of all items has the place of the item. */
  readonly maps: boolean;
  readonly matches: readonly string[];
  readonly typed: string;
  readonly picked: number;
  readonly input: RefObject<HTMLInputElement | null>;
  readonly editor: { current: Mounted | null };
  readonly onSwipe: (to: "left" | "right") => void;
  readonly onHome: () => void;
  readonly onType: (text: string) => void;
  readonly onPick: (value: string) => void;
}

export const One = memo(function One(props: Props) {
  const { controller, maps, editor, onSwipe, onHome } = props;
  const state = controller.state.value;
  const { task } = controller.config;
  const stage = useRef<HTMLDivElement>(null);
  const [draws, setDraws] = useState(false);
  const item = current(state);
  const suggestion = visibleSuggestion(state, item);
  const labelable = isLabelable(state, item);
  return (
    <>
      {!maps && (
        <Card
          state={state}
          item={item}
          suggestion={suggestion}
          onSwipe={task.kind === "binary" ? onSwipe : null}
          controller={controller}
          stage={draws ? stage : null}
        />
      )}
      {state.phase === "ready" && !isChoice(task) && !maps && (
        <EditorSlot
          controller={controller}
          item={labelable ? item : null}
          suggestion={suggestion}
          stage={stage}
          draws={draws}
          onStage={setDraws}
          mounted={editor}
          onHome={onHome}
        />
      )}
      {state.phase === "ready" && isChoice(task) && (
        <Labels
          task={task}
          chosen={!maps && typeof item?.label === "string" ? item.label : null}
          suggestion={maps ? null : suggestion}
          matches={props.matches}
          typed={props.typed}
          picked={props.picked}
          disabled={!labelable && !maps}
          input={props.input}
          onType={props.onType}
          onPick={props.onPick}
          many={isMany(task)}
        />
      )}
    </>
  );
});
