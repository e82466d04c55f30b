// Which parts of a source are strings, comments, numbers and words of the language.

export type Kind = "comment" | "string" | "number" | "keyword" | "";

export interface Piece {
  readonly text: string;
  readonly kind: Kind;
}

const words = (text: string): ReadonlySet<string> => new Set(text.split(" "));

const C_LIKE =
  "break case char class const continue default do double else enum extern false float for goto " +
  "if int long new null private protected public return short signed sizeof static struct switch " +
  "this throw true try typedef union unsigned using virtual void volatile while";
const SCRIPT =
  "async await break case catch class const continue debugger default delete do else export " +
  "extends false finally for from function if import in instanceof interface let new null of " +
  "return static super switch this throw true try type typeof undefined var void while yield";

const KEYWORDS: Readonly<Record<string, ReadonlySet<string>>> = {
  python: words(
    "False None True and as assert async await break case class continue def del elif else except " +
      "finally for from global if import in is lambda match nonlocal not or pass raise return try " +
      "while with yield",
  ),
  javascript: words(SCRIPT),
  typescript: words(`${SCRIPT} abstract declare enum implements keyof namespace never readonly`),
  java: words(`${C_LIKE} abstract boolean catch extends final finally implements import package`),
  c: words(C_LIKE),
  rust: words(
    "as async await break const continue crate dyn else enum extern false fn for if impl in let " +
      "loop match mod move mut pub ref return self static struct super trait true type unsafe use " +
      "where while",
  ),
  go: words(
    "break case chan const continue default defer else fallthrough false for func go goto if " +
      "import interface map nil package range return select struct switch true type var",
  ),
  sql: words(
    "all alter and as asc between by case create cross delete desc distinct drop else end exists " +
      "from full group having in inner insert into is join left like limit not null on or order " +
      "outer over partition right select set table then union update values view when where with",
  ),
  r: words("FALSE NA NULL TRUE break else for function if in library next repeat return while"),
  bash: words(
    "case do done elif else esac export fi for function if in local return set then until while",
  ),
  json: words("false null true"),
};
const SAME: Readonly<Record<string, string>> = {
  py: "python", js: "javascript", jsx: "javascript", ts: "typescript", tsx: "typescript", "c++": "c",
  cpp: "c", cs: "java", kotlin: "java", rs: "rust", golang: "go", sh: "bash", shell: "bash",
}; // prettier-ignore

const HASH = String.raw`#[^\n]*`;
const SLASHES = String.raw`\/\/[^\n]*|\/\*[\s\S]*?(?:\*\/|$)`;
const DASHES = String.raw`--[^\n]*|\/\*[\s\S]*?(?:\*\/|$)`;
const COMMENTS: Readonly<Record<string, string>> = {
  python: HASH, r: HASH, bash: HASH, javascript: SLASHES, typescript: SLASHES, java: SLASHES,
  c: SLASHES, rust: SLASHES, go: SLASHES, sql: DASHES, json: "(?!)",
}; // prettier-ignore

// Each part ends at the end of its line at the latest, or of the text: no source takes long.
const TRIPLE = String.raw`"""[\s\S]*?(?:"""|$)|'''[\s\S]*?(?:'''|$)`;
const QUOTED = String.raw`"(?:[^"\\\n]|\\[\s\S])*"?|'(?:[^'\\\n]|\\[\s\S])*'?`;
const BACKTICKS = "`(?:[^`\\\\]|\\\\[\\s\\S])*`?";
const NUMBER = String.raw`\b(?:0[xX][\da-fA-F_]+|\d[\d_]*(?:\.\d+)?(?:[eE][+-]?\d+)?)\b`;
const WORD = String.raw`[\p{L}_$][\p{L}\p{N}_$]*`;

/** The pieces of a source, which together are the source. */
export function pieces(source: string, language: string): Piece[] {
  const name = SAME[language] ?? language;
  const known = Object.hasOwn(KEYWORDS, name) ? KEYWORDS[name] : undefined;
  const comment = Object.hasOwn(COMMENTS, name) ? COMMENTS[name] : `${HASH}|${SLASHES}`;
  const string = [
    ...(name === "python" ? [TRIPLE] : []),
    ...(name === "javascript" || name === "typescript" || name === "go" ? [BACKTICKS] : []),
    QUOTED,
  ].join("|");
  const pattern = new RegExp(`(${comment})|(${string})|(${NUMBER})|(${WORD})`, "gu");
  const made: Piece[] = [];
  const add = (text: string, kind: Kind) => {
    const last = made.at(-1);
    if (last && last.kind === kind) made[made.length - 1] = { text: last.text + text, kind };
    else if (text) made.push({ text, kind });
  };
  let at = 0;
  for (const match of source.matchAll(pattern)) {
    const [text, isComment, isString, isNumber, word] = match;
    if (!text) continue;
    add(source.slice(at, match.index), "");
    const key = word !== undefined && known?.has(name === "sql" ? word.toLowerCase() : word);
    add(
      text,
      isComment !== undefined
        ? "comment"
        : isString !== undefined
          ? "string"
          : isNumber !== undefined
            ? "number"
            : key
              ? "keyword"
              : "",
    );
    at = match.index + text.length;
  }
  add(source.slice(at), "");
  return made;
}
