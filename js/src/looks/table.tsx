// A small table: names of columns above, numbers to the right; every cell is a text.

import { count } from "../format";
import type { Look, Shown } from "../modules";
import { make, textOf } from "./paper";
import { Scrolled } from "./scrolled";
import css from "./table.css";

type Cell = readonly [string, string];

class Table extends Scrolled {
  constructor(el: HTMLElement) {
    super(el, "nblabel-table", css);
  }

  show(shown: Shown): void {
    const { columns, cells, rows, width } = shown.view.data as {
      columns: readonly string[];
      cells: readonly (readonly Cell[])[];
      rows: number;
      width: number;
    };
    const table = make("table");
    // A column is of numbers if all that is there is.
    const kinds = columns.map((_, k) => {
      const found = new Set(cells.map((row) => row[k]?.[1]).filter((kind) => kind !== "missing"));
      return found.size === 1 ? [...found][0] : "text";
    });
    const head = make("tr");
    head.append(
      ...columns.map((name, k) => {
        const cell = make("th", "", textOf(name));
        cell.scope = "col";
        cell.dir = "auto";
        cell.dataset["type"] = kinds[k] ?? "text";
        return cell;
      }),
    );
    const body = make("tbody");
    for (const row of cells) {
      const line = make("tr");
      line.append(
        ...row.map(([text, kind], k) => {
          const cell = make("td", "", kind === "missing" ? "" : textOf(text));
          cell.dir = "auto";
          cell.dataset["type"] = kinds[k] ?? "text";
          if (kind === "missing") cell.append(make("span", "nblabel-missing", "missing"));
          return cell;
        }),
      );
      body.append(line);
    }
    const top = make("thead");
    top.append(head);
    table.append(top, body);
    this.box.replaceChildren(table);
    const more = [
      ...(rows > cells.length ? [`the first ${count(cells.length)} of ${count(rows)} rows`] : []),
      ...(width > columns.length
        ? [`the first ${count(columns.length)} of ${count(width)} columns`]
        : []),
    ];
    if (!rows) more.push("no rows");
    if (more.length) this.box.append(make("p", "nblabel-soft", more.join(", ")));
  }
}

const look: Look = { mount: (el) => new Table(el) };

export default look;
