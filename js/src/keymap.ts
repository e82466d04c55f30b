// What each key means, in one table: the listener, the buttons and the sheet all read it.

export interface TaskSpec {
  readonly kind: string;
  readonly classes: readonly string[];
  readonly keys: Readonly<Record<string, string>>;
  readonly question: string | null;
  /** What else the editor of this kind of task goes by. */
  readonly [option: string]: unknown;
}

/** Tasks that one key answers; all others have an editor of their own. */
export const isChoice = (task: TaskSpec): boolean =>
  task.kind === "choice" || task.kind === "binary";

export type Command =
  { readonly type: "label"; readonly value: string } | { readonly type: Simple };

export type Simple =
  | "accept"
  | "undo"
  | "back"
  | "forward"
  | "skip"
  | "flag"
  | "note"
  | "suggest"
  | "retrain"
  | "instructions"
  | "map"
  | "certify"
  | "grid"
  | "similar"
  | "words"
  | "search"
  | "sheet"
  | "close";

/** The part of a KeyboardEvent that decides. */
export interface Press {
  readonly key: string;
  readonly shift: boolean;
  readonly ctrl: boolean;
  readonly alt: boolean;
  readonly meta: boolean;
  /** Whether the key is held down. */
  readonly repeat?: boolean;
}

export interface Binding {
  readonly command: Simple;
  readonly keys: readonly string[];
  readonly does: string;
}

/** With more labels than digits, letters are for finding a label and commands take Shift. */
export const MOST_KEYED = 9;
export const isMany = (task: TaskSpec): boolean =>
  isChoice(task) &&
  task.classes.length > MOST_KEYED &&
  task.classes.some((name) => !Object.hasOwn(task.keys, name));

const COMMANDS: readonly Binding[] = [
  { command: "accept", keys: ["space", "enter"], does: "accept the suggestion" },
  { command: "undo", keys: ["z", "backspace", "ctrl+z"], does: "undo, as often as you like" },
  { command: "back", keys: ["left"], does: "back to what you labeled, to change it" },
  { command: "forward", keys: ["right"], does: "forward" },
  { command: "skip", keys: ["s"], does: "skip: put the item away" },
  { command: "flag", keys: ["f"], does: "flag the item, or unflag it" },
  { command: "note", keys: ["n"], does: "write a note" },
  { command: "suggest", keys: ["h"], does: "hide or show suggestions" },
  { command: "retrain", keys: ["r"], does: "train the model now, or stop a long training" },
  { command: "instructions", keys: ["i"], does: "fold or unfold the instructions" },
  {
    command: "grid",
    keys: ["g"],
    does: "many on one page: what the model believes to be one class",
  },
  { command: "similar", keys: ["m"], does: "more like this, on one page" },
  { command: "words", keys: ["w"], does: "items with some words, on one page" },
  { command: "map", keys: ["o"], does: "overview: all items as a map, or close it" },
  {
    command: "certify",
    keys: ["x"],
    does: "certify: the machine labels the rest, with a proven bound on its errors",
  },
  { command: "search", keys: ["/"], does: "find a label by its name" },
  { command: "sheet", keys: ["?"], does: "this sheet" },
  { command: "close", keys: ["escape"], does: "close what is open" },
];

/** A page of many labels each with one key. */
const MANY: ReadonlySet<Simple> = new Set(["grid", "similar", "words"]);

/** Their editors move something by the arrows: back and forward are comma and period. */
const ARROWS: ReadonlySet<string> = new Set(["pairs", "spans", "boxes"]);

const usesArrows = (task: TaskSpec): boolean => {
  const parts = (task["parts"] ?? []) as readonly { readonly task: TaskSpec }[];
  return ARROWS.has(task.kind) || parts.some((part) => ARROWS.has(part.task.kind));
};

const QUESTIONS: Readonly<Record<string, string>> = {
  multilabel: "Which labels fit?",
  rating: "How do you rate it?",
  spans: "Which words belong to a label?",
  boxes: "Where is what?",
  freetext: "What do you write?",
  ranking: "Which comes first?",
  form: "What do you say?",
};

/** What is asked, if the user did not say. */
export const questionOf = (task: TaskSpec): string =>
  task.question ?? QUESTIONS[task.kind] ?? "Which label fits?";

const bound = new WeakMap<TaskSpec, readonly Binding[]>();

/** The commands as they are bound for a task. */
export function bindings(task: TaskSpec): readonly Binding[] {
  let found = bound.get(task);
  if (!found) bound.set(task, (found = bind(task)));
  return found;
}

function bind(task: TaskSpec): readonly Binding[] {
  const many = isMany(task);
  const taken = new Set(Object.values(task.keys));
  const arrows = usesArrows(task);
  return COMMANDS.filter(({ command }) => isChoice(task) || !MANY.has(command)).map((binding) => ({
    ...binding,
    // A letter that types a name, or that a label has, means its command with Shift.
    keys: binding.keys.map((key) => {
      if (arrows && (key === "left" || key === "right")) return key === "left" ? "," : ".";
      return /^[a-z]$/.test(key) && (many || taken.has(key)) ? `shift+${key}` : key;
    }),
  }));
}

const NAMES: Readonly<Record<string, string>> = {
  " ": "space",
  arrowleft: "left",
  arrowright: "right",
  arrowup: "up",
  arrowdown: "down",
};

/** Name of a press, such as "z", "shift+s", "ctrl+z"; Cmd counts as Ctrl. */
export function pressName(press: Press): string {
  const lower = press.key.toLowerCase();
  const name = NAMES[lower] ?? lower;
  const letter = /^\p{Letter}$/u.test(name);
  const parts = [];
  if (press.ctrl || press.meta) parts.push("ctrl");
  if (press.alt) parts.push("alt");
  // Shift is part of how a character such as ? is typed; it counts with letters and named keys.
  if (press.shift && (letter || name.length > 1)) parts.push("shift");
  return [...parts, name].join("+");
}

/** What a press means, null if nothing. */
export function commandFor(task: TaskSpec, press: Press): Command | null {
  const name = pressName(press);
  for (const [label, key] of isChoice(task) ? Object.entries(task.keys) : []) {
    if (name === (NAMES[key] ?? key)) return { type: "label", value: label };
  }
  for (const binding of bindings(task)) {
    if (binding.keys.includes(name)) return { type: binding.command };
  }
  // Capitals mean the same as small letters where both cannot be meant.
  if (!isMany(task) && name.startsWith("shift+") && name.length === 7) {
    return commandFor(task, { ...press, key: press.key.toLowerCase(), shift: false });
  }
  return null;
}

/** Whether a press starts typing the name of a label. */
export function startsTyping(task: TaskSpec, press: Press): boolean {
  if (!isMany(task) || press.ctrl || press.alt || press.meta) return false;
  return [...press.key].length === 1 && press.key !== " " && commandFor(task, press) === null;
}

/** Presses that belong to the page, such as saving the notebook or reloading. */
export function belongsToPage(press: Press): boolean {
  if (/^F\d+$/.test(press.key)) return true;
  return (press.ctrl || press.meta) && !press.alt && /^[sclrtwn+=0-]$/i.test(press.key);
}

const SYMBOLS: Readonly<Record<string, string>> = {
  space: "␣",
  enter: "↵",
  left: "←",
  right: "→",
  up: "↑",
  down: "↓",
  backspace: "⌫",
  escape: "Esc",
};

/** A key as it is printed on a cap. */
export function keyCap(name: string): string {
  return name
    .split(/(?<=\w)\+/) // not the key "+" itself
    .map((part) => (part === "shift" ? "⇧" : part === "ctrl" ? "Ctrl " : (SYMBOLS[part] ?? part)))
    .join("");
}

/** The first key of a command, as it is printed. */
export function capOf(task: TaskSpec, command: Simple): string {
  const binding = bindings(task).find((b) => b.command === command);
  return keyCap(binding?.keys[0] ?? "");
}

const ARIA: Readonly<Record<string, string>> = {
  space: "Space",
  left: "ArrowLeft",
  right: "ArrowRight",
  ctrl: "Control",
  shift: "Shift",
};

/** Keys of a command as `aria-keyshortcuts` wants them. */
export function ariaKeys(task: TaskSpec, command: Simple): string {
  const keys = bindings(task).find((b) => b.command === command)?.keys ?? [];
  const named = keys.map((key) =>
    key
      .split("+")
      .map((part) => ARIA[part] ?? part.charAt(0).toUpperCase() + part.slice(1))
      .join("+"),
  );
  return named.join(" ");
}

/** Key of a label, as it is printed; empty if it has none. */
export function capOfLabel(task: TaskSpec, label: string): string {
  // A label may be called like something that every object has, such as "constructor".
  const key = Object.hasOwn(task.keys, label) ? task.keys[label] : undefined;
  return key === undefined ? "" : keyCap(NAMES[key] ?? key);
}
