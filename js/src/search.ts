// Finding a label by typing: pure.

const fold = (text: string): string =>
  text
    .normalize("NFKD")
    .replace(/\p{Diacritic}/gu, "")
    .toLowerCase();

/** How well a name fits what was typed: lower is better, null if it does not. */
export function fit(name: string, typed: string): number | null {
  const text = fold(name).trim();
  const query = fold(typed).trim();
  if (!query) return 0;
  if (text === query) return 0;
  if (text.startsWith(query)) return 1;
  const words = text.split(/[^\p{Letter}\p{Number}]+/u).filter(Boolean);
  const parts = query.split(/[^\p{Letter}\p{Number}]+/u).filter(Boolean);
  if (parts.length && parts.every((part) => words.some((word) => word.startsWith(part)))) return 2;
  const initials = words.map((word) => word[0]).join("");
  if (initials.startsWith(query)) return 3;
  if (text.includes(query)) return 4;
  return inOrder(text, query) ? 5 : null;
}

function inOrder(text: string, query: string): boolean {
  let at = 0;
  for (const letter of query) {
    const found = text.indexOf(letter, at);
    if (found < 0) return false;
    at = found + letter.length;
  }
  return true;
}

/** Names that fit, the best first; among equals those the model ranks higher, then as given. */
export function search(
  names: readonly string[],
  typed: string,
  ranking: readonly string[] = [],
): readonly string[] {
  const places = new Map(ranking.map((name, place) => [name, place]));
  return names
    .map((name, place) => ({ name, place, score: fit(name, typed) }))
    .filter((entry) => entry.score !== null)
    .sort(
      (a, b) =>
        (a.score ?? 0) - (b.score ?? 0) ||
        (typed.trim() ? (places.get(a.name) ?? 1e9) - (places.get(b.name) ?? 1e9) : 0) ||
        a.place - b.place,
    )
    .map((entry) => entry.name);
}
