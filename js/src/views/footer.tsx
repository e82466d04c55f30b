// The lines below: commands, progress, and the honest numbers.

import { count, countOf, curvePath, percent, range, rate } from "../format";
import { ariaKeys, bindings, capOf, type Command, type Simple, type TaskSpec } from "../keymap";
import type { StatusPart } from "../protocol";
import { Aim } from "./aim";
import { memo } from "./memo";

/** Below this many audit items the accuracy is not known: see `estimate.py`. */
const LEAST_AUDITS = 20;

interface Props {
  readonly status: StatusPart;
  readonly suggest: boolean;
  readonly unsaved: number;
  readonly task: TaskSpec;
  /** Commands that mean nothing now. */
  readonly without: ReadonlySet<string>;
  readonly run: (command: Command) => void;
  readonly onAfter: () => void;
  /** Whether many items are on one page, which has commands of its own. */
  readonly many: boolean;
}

const SHOWN: readonly (readonly [Simple, string])[] = [
  ["undo", "undo"],
  ["back", "back"],
  ["forward", ""],
  ["skip", "skip"],
  ["flag", "flag"],
  ["note", "note"],
  ["suggest", "suggestions"],
  ["grid", "many"],
  ["map", "map"],
  ["sheet", "keys"],
];

const learns = (status: StatusPart): boolean => status.training !== "off";

export const Footer = memo(function Footer(props: Props) {
  const { status, suggest, unsaved, task, run, onAfter, many, without } = props;
  const bound = new Set(bindings(task).map(({ command }) => command));
  const needsModel = ["suggest", "grid", "map"];
  const shown = SHOWN.filter(
    ([command]) =>
      bound.has(command) &&
      !without.has(command) &&
      (learns(status) || !needsModel.includes(command)),
  );
  return (
    <footer class="nblabel-foot">
      <div class="nblabel-line">
        {!many && (
          <div class="nblabel-commands" role="toolbar" aria-label="commands">
            {shown.map(([command, name]) => (
              <button
                key={command}
                type="button"
                class="nblabel-command"
                aria-label={name || command}
                title={bindings(task).find((binding) => binding.command === command)?.does}
                aria-keyshortcuts={ariaKeys(task, command)}
                aria-pressed={command === "suggest" ? suggest : undefined}
                onClick={() => {
                  run({ type: command });
                  if (command !== "note" && command !== "sheet") onAfter();
                }}
              >
                <kbd>{capOf(task, command)}</kbd>
                {command === "suggest" && !suggest ? "no suggestions" : name}
              </button>
            ))}
          </div>
        )}
        <div class="nblabel-where">
          <Progress status={status} unsaved={unsaved} />
          {/* Where the line above the labels has no room for it. */}
          {!many && <Aim status={status} />}
        </div>
      </div>
      <div class="nblabel-line">
        {learns(status) && <Accuracy status={status} />}
        <span class="nblabel-space" />
        <Pace status={status} unsaved={unsaved} />
        <Counts status={status} task={task} />
      </div>
    </footer>
  );
});

function Progress({ status, unsaved }: { status: StatusPart; unsaved: number }) {
  return (
    <span
      class="nblabel-progress"
      title={`${count(leftOf(status, unsaved))} items without a label`}
    >
      <b>{count(status.labeled)}</b> of {count(status.items)}
      {status.skipped > 0 && ` · ${count(status.skipped)} skipped`}
    </span>
  );
}

const leftOf = (status: StatusPart, unsaved: number): number => Math.max(0, status.left - unsaved);

/** Beyond a working week it is no use to know how long the rest takes, in seconds. */
const MOST_AHEAD = 40 * 3600;

function Pace({ status, unsaved }: { status: StatusPart; unsaved: number }) {
  if (!status.pace) return <span class="nblabel-progress nblabel-pace" />;
  const [median, low, high] = status.pace;
  const left = leftOf(status, unsaved);
  return (
    <span
      class="nblabel-progress nblabel-pace"
      title="From the median time of your newest 50 answers, with its 90 % interval"
    >
      {rate(median)}
      {left > 0 &&
        !status.finding &&
        low * left < MOST_AHEAD &&
        ` · ${range(low * left, high * left)} left`}
    </span>
  );
}

const MEASURED =
  "Measured on items drawn at random: what the model said before your answer, against your answer.";

function Accuracy({ status }: { status: StatusPart }) {
  if (!status.accuracy) {
    const missing = LEAST_AUDITS - status.audits;
    const never = status.explore === 0 && status.audits === 0;
    return (
      <span
        class="nblabel-accuracy"
        title={MEASURED + (never ? " None are drawn: say explore=0.1 for one item in ten." : "")}
      >
        {never ? "accuracy not measured: no random checks" : "accuracy not known yet"}
        {!never && status.version > 0 && missing > 0 && (
          <>
            {" "}
            ({status.audits} of {LEAST_AUDITS}
            <span class="nblabel-roomy"> random</span> checks)
          </>
        )}
      </span>
    );
  }
  const [value, low, high, n] = status.accuracy;
  const { line, band } = curvePath(status.curve, 86, 20);
  return (
    <span
      class="nblabel-accuracy"
      title={`On the newest ${n} items drawn at random, before you answered, so by the models there were then: this one has learned since. 95 % interval by Wilson. About items that have no label yet.`}
    >
      {line && (
        <svg width="86" height="20" viewBox="0 0 86 20" role="img" aria-label="learning curve">
          <path d={band} class="nblabel-band" />
          <path d={line} class="nblabel-curve" />
        </svg>
      )}
      <b>{percent(value)}</b> right
      <span class="nblabel-roomy"> on what is left</span> ({Math.round(low * 100)} to{" "}
      {Math.round(high * 100)}, {count(n)} checked)
    </span>
  );
}

/** More classes than this are not counted one by one. */
const MOST_COUNTED = 12;
/** Names of so many letters together stand beside their counts, where there is room. */
const MOST_NAMED = 24;

function Counts({ status, task }: { status: StatusPart; task: TaskSpec }) {
  const named = task.classes
    .map((name, k) => ({ name, color: k % 10, n: countOf(status, name) }))
    .filter((entry) => task.classes.length <= MOST_COUNTED || entry.n > 0);
  if (named.length > MOST_COUNTED || task.classes.length > MOST_COUNTED) {
    return (
      <span class="nblabel-counts" title={named.map((e) => `${e.name}: ${e.n}`).join("\n")}>
        {named.length} of {task.classes.length} labels used
      </span>
    );
  }
  const brief = named.map((entry) => entry.name).join("").length <= MOST_NAMED;
  return (
    <span class={`nblabel-counts${brief ? " nblabel-named" : ""}`}>
      {named.map((entry) => (
        <span
          key={entry.name}
          class={`nblabel-count nblabel-k${entry.color}`}
          title={`${entry.name}: ${count(entry.n)}`}
        >
          <i aria-hidden="true" />
          <span class="nblabel-heard">{entry.name}: </span>
          {count(entry.n)}
        </span>
      ))}
    </span>
  );
}
