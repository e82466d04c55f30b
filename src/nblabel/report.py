"""The report: all honest numbers of a session on one page, with what each rests on.

Data is not code: every text is escaped, the page has no script and fetches nothing.
"""

from __future__ import annotations

import html
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from .errors import StoreError
from .estimate import Advice, Estimate, Pace

#: Rows of a table that are shown; `Report.to_dict` has all.
MOST_ROWS = 30


@dataclass(frozen=True)
class Report:
    """Everything that can be said of a session, and what cannot be said yet.

    In a notebook it shows itself; ``to_dict()`` is the same as JSON, ``save("report.html")`` a page
    of its own.

    Attributes
    ----------
    made_at, version : str
        When, and by which nblabel.
    question : str
        What was asked: the kind of task, and its question if it has one.
    items, labeled, skipped, left : int
    counts : dict of str to int
        Labeled items by what was said.
    annotators : dict of str to dict
        For each: ``labels``, whether it is a ``machine``, and ``median_seconds`` or None.
    chosen_by : dict of str to int
        Labeled items by what put them forward.
    model : str
        What learns, and from how many labels; empty if nothing does.
    accuracy : Estimate
        On what is left, by progressive validation.
    curve : sequence of (int, float, float, float)
        Labels there were, accuracy then, and its interval.
    gain : Estimate
        Accuracy that the next 100 labels bring.
    advice : Advice
    helping : Estimate
        Accuracy by the strategy's choice minus that by random draws, at equal numbers of labels.
    class_shares : dict of str to Estimate
        Of the whole pool.
    unseen : Estimate
        Share of the pool whose class has no label.
    agreement_shown, agreement_hidden, anchoring : Estimate
        Agreement with suggestions that are seen, that are hidden, and the difference.
    agreement_repeats, kappa_repeats : Estimate
        Of the same annotators with themselves.
    pace : Pace or None
        Seconds a label lately.
    hours_left : (float, float) or None
        At this pace.
    suspicious : sequence of dict
        The labels most likely to be wrong, see `Session.review`.
    n_wrong : int or None
        How many are probably wrong; None if it is not known.
    n_changed : int
        Items on which two judgements disagree.
    certificates : sequence of dict
    trouble : str
        Why numbers that need a model are missing.
    """

    made_at: str
    version: str
    question: str
    items: int
    labeled: int
    skipped: int
    left: int
    counts: Mapping[str, int]
    annotators: Mapping[str, Mapping[str, Any]]
    chosen_by: Mapping[str, int]
    model: str
    accuracy: Estimate
    curve: Sequence[Sequence[float]]
    gain: Estimate
    advice: Advice
    helping: Estimate
    class_shares: Mapping[str, Estimate]
    unseen: Estimate
    agreement_shown: Estimate
    agreement_hidden: Estimate
    anchoring: Estimate
    agreement_repeats: Estimate
    kappa_repeats: Estimate
    pace: Pace | None
    hours_left: tuple[float, float] | None
    suspicious: Sequence[Mapping[str, Any]]
    n_wrong: int | None
    n_changed: int
    certificates: Sequence[Mapping[str, Any]] = ()
    trouble: str = ""

    # ------------------------------------------------------------ other forms

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON, the paragraph on methods included."""
        made = {one.name: _plain(getattr(self, one.name)) for one in fields(self)}
        return {**made, "methods": self.methods}

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the report to a page of its own, which needs no network.

        Raises
        ------
        StoreError
            If it cannot be written.
        """
        page = (
            '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
            '<meta http-equiv="Content-Security-Policy" '
            "content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
            '<meta name="viewport" content="width=device-width">\n<title>nblabel report</title>\n'
            f"<style>{_ALONE}</style>\n</head>\n<body>\n{self._repr_html_()}\n</body>\n</html>\n"
        )
        try:
            Path(path).write_text(page, encoding="utf-8")
        except OSError as error:
            raise StoreError(f"The report cannot be written to {path}: {error}.") from None

    def __repr__(self) -> str:
        return (
            f"Report({self.labeled:,} of {self.items:,} items labeled; accuracy on what is left: "
            f"{self.accuracy}; {self.advice.advice}: {self.advice.reason})"
        )

    # ------------------------------------------------------------ methods

    @property
    def methods(self) -> str:
        """A paragraph for a paper: what was done, and how each number that is known was made."""
        people = sum(not who["machine"] for who in self.annotators.values())
        machine = sum(who["labels"] for who in self.annotators.values() if who["machine"])
        said = [
            f"{self.labeled:,} of {self.items:,} items were labeled "
            f"({self.question}) by {people:,} {'person' if people == 1 else 'people'}"
            f"{f' and, {machine:,} of them, by machine' if machine else ''} with nblabel "
            f"{self.version}."
        ]
        if self.chosen_by:
            how = ", ".join(f"{name}: {n:,}" for name, n in self.chosen_by.items())
            said.append(f"What put the items forward was recorded with each label ({how}).")
        if self.model:
            said.append(f"Suggestions came from {self.model}.")
        if self.accuracy.known:
            said.append(
                "The accuracy of the model on items without a label was estimated by progressive "
                "validation (Blum, Kalai and Langford, 1999) on uniform random draws: "
                f"{self.accuracy}, Wilson's interval."
            )
        known = {name: share for name, share in self.class_shares.items() if share.known}
        if known:
            shares = "; ".join(f"{name} {share}" for name, share in _first(known))
            said.append(
                "Shares of classes in the whole pool were estimated by prediction-powered "
                f"inference (Angelopoulos et al., 2023) for a finite pool: {shares}."
            )
        if self.unseen.high is not None:
            said.append(
                f"At most {_percent(self.unseen.high)} of the pool belongs to classes without a "
                f"label (95 % confidence, {self.unseen.n:,} random draws; Good-Turing estimate "
                f"{_percent(self.unseen.value)})."
            )
        if self.helping.known:
            said.append(
                "Against a model that learned from random draws, one that learned from as many "
                f"items of the query strategy differed in accuracy by {_signed(self.helping)}."
            )
        if self.anchoring.known:
            said.append(
                "Suggestions were hidden at random for a share of the items; agreement with a "
                f"suggestion that was shown differed by {_signed(self.anchoring)} "
                "(Newcombe's interval)."
            )
        if self.agreement_repeats.known:
            said.append(
                "Some items were silently asked again: the same annotator agreed with the earlier "
                f"label in {self.agreement_repeats} (kappa "
                f"{self.kappa_repeats.said(percent=False)})."
            )
        for certificate in self.certificates:
            if certificate.get("sentence"):
                said.append(str(certificate["sentence"]))
        return " ".join(said)

    # ------------------------------------------------------------ the page

    def _repr_html_(self) -> str:
        parts = [
            self._counts(), self._quality(), self._pool(), self._people(), self._doubts(),
            self._certified(), _section("Methods", f"<p>{_text(self.methods)}</p>"),
        ]  # fmt: skip
        # Two dollars in names would else become mathematics.
        return (
            '<div class="nblabel-report mathjax_ignore tex2jax_ignore">'
            f"<style>{_STYLE}</style><h2>nblabel report</h2>"
            f"<p>{_text(self.question)}; {_text(self.made_at)}, nblabel {_text(self.version)}</p>"
            f"{''.join(parts)}</div>"
        )

    def _counts(self) -> str:
        numbers = {
            "items": self.items, "labeled": self.labeled, "put away": self.skipped,
            "left": self.left,
        }  # fmt: skip
        tiles = "".join(
            f'<div class="nblabel-tile"><b>{n:,}</b> {_text(name)}</div>'
            for name, n in numbers.items()
        )
        rows = sorted(self.counts.items(), key=lambda row: -row[1])
        table = _table(("label", "items"), [(name, f"{n:,}") for name, n in rows])
        chosen = [(name or "given by name", f"{n:,}") for name, n in self.chosen_by.items()]
        by = _table(("put forward by", "items"), chosen)
        return (
            f'<div class="nblabel-tiles">{tiles}</div><div class="nblabel-pair">{table}{by}</div>'
        )

    def _quality(self) -> str:
        rows = [
            ("accuracy on what is left", str(self.accuracy)),
            ("gain of the next 100 labels", _gain(self.gain)),
            ("go on?", f"{self.advice.advice}. {self.advice.reason}"),
            ("is the strategy helping?", _verdict(self.helping)),
        ]
        model = f"<p>{_text(self.model)}</p>" if self.model else ""
        trouble = f"<p>{_text(self.trouble)}</p>" if self.trouble else ""
        made = f"{model}{trouble}{_curve(self.curve)}{_facts(rows)}"
        return _section("How good is the model?", made)

    def _pool(self) -> str:
        rows = [("classes never seen", _at_most(self.unseen))]
        return _section("What is the pool made of?", _shares(self.class_shares) + _facts(rows))

    def _people(self) -> str:
        people = [
            (name, f"{who['labels']:,}",
             "" if who["median_seconds"] is None else f"{who['median_seconds']:.1f} s")
            for name, who in self.annotators.items()
        ]  # fmt: skip
        pace = "not known yet: needs more answers with their time"
        if self.pace is not None:
            pace = (
                f"{self.pace.median:.1f} s a label lately (90 % interval of the median "
                f"{self.pace.low:.1f} to {self.pace.high:.1f} s, n = {self.pace.n:,} answers)"
            )
        if self.hours_left is not None:
            low, high = self.hours_left
            pace += f"; all that is left would take {low:.1f} to {high:.1f} hours"
        rows = [
            ("time", pace),
            ("agreement with suggestions shown", str(self.agreement_shown)),
            ("agreement with suggestions hidden", str(self.agreement_hidden)),
            ("anchoring: shown minus hidden", self.anchoring.said(signed=True)),
            ("agreement with oneself", str(self.agreement_repeats)),
            ("kappa with oneself", self.kappa_repeats.said(percent=False)),
        ]
        table = _table(("annotator", "labels", "median time"), people)
        return _section("The people", table + _facts(rows))

    def _doubts(self) -> str:
        known = self.n_wrong is not None
        first = f"{self.n_wrong:,} labels are probably wrong" if known else "not known yet"
        rows = [
            ("wrong labels", f"{first}; session.review() lists them"),
            ("judgements that changed", f"{self.n_changed:,} items"),
        ]
        columns = ("key", "label", "suggested", "quality", "text")
        table = _table(
            columns,
            [tuple(_cell(row.get(name)) for name in columns) for row in self.suspicious],
        )
        return _section("Labels to look at again", _facts(rows) + table)

    def _certified(self) -> str:
        if not self.certificates:
            return ""
        names = list(dict.fromkeys(name for one in self.certificates for name in one))
        names.remove("sentence")  # of the methods
        rows = [tuple(_cell(one.get(name)) for name in names) for one in self.certificates]
        return _section("Certificates", _table(names, rows))


# ---------------------------------------------------------------- words


def _plain(value: Any) -> Any:
    if isinstance(value, (Estimate, Advice, Pace)):
        return {one.name: _plain(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, Mapping):
        return {str(name): _plain(part) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(part) for part in value]
    if value is None or isinstance(value, (str, bool, int, float)):
        return value
    return value.item() if hasattr(value, "item") else str(value)


def _text(value: Any) -> str:
    return html.escape(str(value).encode("utf-8", "replace").decode(), quote=True)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.3f}"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _percent(share: float | None) -> str:
    return "" if share is None else f"{100 * share:.1f} %"


def _signed(number: Estimate) -> str:
    return number.said(signed=True)


def _first(shares: Mapping[str, Estimate]) -> list[tuple[str, Estimate]]:
    rows = sorted(shares.items(), key=lambda row: -(row[1].value or 0.0))
    return rows[:MOST_ROWS]


def _gain(gain: Estimate) -> str:
    if not gain.known:
        return str(gain)
    return f"{gain.said(signed=True)}, if the curve rises ever more slowly"


def _at_most(share: Estimate) -> str:
    if share.high is None:
        return str(share)
    return (
        f"{_percent(share.value)} of the pool, at most {_percent(share.high)} "
        f"(95 % confidence, n = {share.n:,} {share.unit})"
    )


def _verdict(helping: Estimate) -> str:
    if helping.low is None or helping.high is None:
        return str(helping)
    verdict = "no difference to random draws can be shown"
    if helping.low > 0:
        verdict = "yes"
    elif helping.high < 0:
        verdict = "no: random draws teach more"
    return f"{verdict}: accuracy {_signed(helping)} against as many random draws"


# ---------------------------------------------------------------- parts of the page


def _section(title: str, body: str) -> str:
    return f"<h3>{_text(title)}</h3>{body}"


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    if not rows:
        return ""
    head = "".join(f'<th scope="col">{_text(name)}</th>' for name in columns)
    body = "".join(
        f"<tr>{''.join(f'<td>{_text(cell)}</td>' for cell in row)}</tr>" for row in rows[:MOST_ROWS]
    )
    more = len(rows) - MOST_ROWS
    rest = f'<tr><td colspan="{len(columns)}">and {more:,} more</td></tr>' if more > 0 else ""
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}{rest}</tbody></table>"


def _facts(rows: Sequence[tuple[str, str]]) -> str:
    lines = "".join(
        f'<tr><th scope="row">{_text(name)}</th><td>{_text(said)}</td></tr>' for name, said in rows
    )
    return f'<table class="nblabel-facts"><tbody>{lines}</tbody></table>'


def _curve(curve: Sequence[Sequence[float]]) -> str:
    """The accuracy along the way, with its interval."""
    if len(curve) < 2:
        return ""
    width, height, left, below = 460, 150, 44, 22
    first, last = curve[0][0], curve[-1][0]
    low, high = min(point[2] for point in curve), max(point[3] for point in curve)
    across = (width - left - 10) / max(last - first, 1)
    up = (height - below - 10) / max(high - low, 1e-9)

    def at(n: float, share: float) -> str:
        return f"{left + (n - first) * across:.1f},{height - below - (share - low) * up:.1f}"

    band = " ".join(
        [at(point[0], point[2]) for point in curve] + [at(p[0], p[3]) for p in reversed(curve)]
    )
    line = " ".join(at(point[0], point[1]) for point in curve)
    base = height - below
    return (
        f'<svg class="nblabel-chart" viewBox="0 0 {width} {height}" role="img" '
        f'aria-label="Accuracy from {first:,.0f} to {last:,.0f} labels">'
        f'<polygon class="nblabel-band" points="{band}"/>'
        f'<polyline class="nblabel-line" points="{line}"/>'
        f'<line class="nblabel-axis" x1="{left}" x2="{width - 10}" y1="{base}" y2="{base}"/>'
        f'<text x="{left - 6}" y="16" text-anchor="end">{100 * high:.0f} %</text>'
        f'<text x="{left - 6}" y="{base}" text-anchor="end">{100 * low:.0f} %</text>'
        f'<text x="{left}" y="{height - 6}">{first:,.0f} labels</text>'
        f'<text x="{width - 10}" y="{height - 6}" text-anchor="end">{last:,.0f}</text></svg>'
    )


def _shares(shares: Mapping[str, Estimate]) -> str:
    """A row for each class: its share of the pool as a point in its interval."""
    known = {name: share for name, share in shares.items() if share.known}
    if not known:
        missing = next(iter(shares.values()), None)
        said = "not known yet: no classes" if missing is None else str(missing)
        return _facts([("shares of classes", said)])
    most = max(share.high or 0.0 for share in known.values()) or 1.0
    rows = []
    for name, share in _first(known):
        low, value, high = (160 * (x or 0.0) / most for x in (share.low, share.value, share.high))
        mark = (
            '<svg class="nblabel-share" viewBox="-4 0 168 12" aria-hidden="true">'
            f'<line class="nblabel-line" x1="{low:.1f}" x2="{high:.1f}" y1="6" y2="6"/>'
            f'<circle class="nblabel-dot" cx="{value:.1f}" cy="6" r="3.5"/></svg>'
        )
        rows.append(
            f'<tr><th scope="row">{_text(name)}</th><td>{mark}</td><td>{_text(share)}</td></tr>'
        )
    more = len(known) - len(rows)
    rest = f'<tr><td colspan="3">and {more:,} more</td></tr>' if more > 0 else ""
    return f'<table class="nblabel-facts"><tbody>{"".join(rows)}{rest}</tbody></table>'


#: The theme of JupyterLab where there is one.
_STYLE = """
.nblabel-report { --nb-text: var(--jp-content-font-color1, #1f1f1f);
  --nb-faint: var(--jp-content-font-color2, #616161); --nb-line: var(--jp-border-color2, #d0d0d0);
  --nb-mark: var(--jp-brand-color1, #1976d2); color: var(--nb-text); max-width: 60em;
  font-family: var(--jp-content-font-family, system-ui, sans-serif); line-height: 1.45; }
.nblabel-report h3 { margin: 1.2em 0 .4em; }
.nblabel-report table { border-collapse: collapse; margin: .3em 0; color: inherit; }
.nblabel-report th, .nblabel-report td { text-align: left; vertical-align: top;
  padding: .2em .9em .2em 0; border-bottom: 1px solid var(--nb-line); background: none;
  overflow-wrap: anywhere; max-width: 36em; }
.nblabel-report .nblabel-facts th { font-weight: normal; color: var(--nb-faint); min-width: 9em; }
.nblabel-tiles, .nblabel-pair { display: flex; flex-wrap: wrap; gap: .4em 2.2em;
  align-items: flex-start; }
.nblabel-tile b { font-size: 1.5em; }
.nblabel-chart { width: 100%; max-width: 30em; height: auto; display: block; }
.nblabel-share { width: 11em; height: 1em; vertical-align: middle; }
.nblabel-report svg text { fill: var(--nb-faint); font-size: 11px; }
.nblabel-line { fill: none; stroke: var(--nb-mark); stroke-width: 2; }
.nblabel-band { fill: var(--nb-mark); opacity: .18; }
.nblabel-axis { stroke: var(--nb-line); }
.nblabel-dot { fill: var(--nb-mark); }
"""
_ALONE = """
:root { color-scheme: light dark; }
body { margin: 2em auto; max-width: 60em; padding: 0 1em; }
@media (prefers-color-scheme: dark) { :root { --jp-content-font-color1: #e8e8e8;
  --jp-content-font-color2: #a8a8a8; --jp-border-color2: #484848; --jp-brand-color1: #64b5f6; }
  body { background: #161616; } }
"""
