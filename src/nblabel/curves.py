"""Learning curves: a DataFrame that knows its intervals and draws itself."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats
from scipy.integrate import trapezoid

from .errors import OptionError, near

#: What a curve may have, the first that it has being drawn.
SCORES = ("found", "macro_f1", "agreement", "accuracy")
#: Readable on white and on black; the baseline is gray.
COLORS = (
    "#3b82d6", "#e0702a", "#2a9d6f", "#c2589f", "#8a6fd1", "#b08a1e", "#1f9fb5", "#d1495b",
)  # fmt: skip
GRAY = "#808080"
_TITLES = {
    "found": "Found among the labels", "accuracy": "Accuracy", "macro_f1": "Macro F1",
    "agreement": "Agreement",
}  # fmt: skip
_BASELINE = "random"


class LearningCurve(pd.DataFrame):
    """How good a model was after how many labels, a row per run and batch.

    A DataFrame like any other. What no longer has the columns of a curve is a plain one.

    Columns are ``n_labels``, ``accuracy``, ``macro_f1``, ``strategy``, ``doing`` (the strategy that
    chose the next batch) and, where there are several runs, ``seed``. Of a task that is not one
    class ``agreement`` stands in the place of ``macro_f1``; where one class is looked for ``found``
    says how many of the labels are it.
    """

    @property
    def _constructor(self) -> Callable[..., pd.DataFrame]:
        return _curve_or_frame

    @property
    def scores(self) -> list[str]:
        """The scores that this curve has."""
        return [score for score in SCORES if score in self.columns]

    def summary(self, level: float = 0.95) -> pd.DataFrame:
        """Return means over the seeds, with intervals.

        The interval is Student's t for the mean over seeds: what other splits and starts would
        give on this data, not on other data. One seed has none (NaN), nor have seeds that all say
        the same, but for ``found``: there a count that is the same has the variance that one item
        more or less would give (as in Wilson's interval). Where a class has few items, or there are
        two or three seeds, it is too narrow all the same: scores are then far from normal.

        Parameters
        ----------
        level : float
            Confidence of the interval.

        Returns
        -------
        DataFrame
            A row per ``strategy`` and ``n_labels``: ``n_seeds``, and for each score ``accuracy``
            (mean), ``accuracy_low``, ``accuracy_high``, and so on.
        """
        if not isinstance(level, Real) or not 0 < level < 1:
            raise OptionError(f"level= is a confidence between 0 and 1, got {level!r}.")
        groups = pd.DataFrame(self).groupby(["strategy", "n_labels"], sort=False)
        n = groups.size()
        made = {"n_seeds": n}
        with np.errstate(invalid="ignore"):
            t = pd.Series(stats.t.ppf((1 + level) / 2, n - 1), index=n.index)
        most = n.index.get_level_values("n_labels")
        for score in self.scores:
            mean = groups[score].mean()
            variance = groups[score].var(ddof=1)
            if score == "found":
                z2 = stats.norm.ppf((1 + level) / 2) ** 2  # see `estimate.steadied_variance`
                steadied = (variance * (n - 1) + z2) / (n + z2)
                variance = variance.where(variance > steadied, steadied).where(n > 1)
            half = t * np.sqrt(variance.where(variance > 0) / n)
            made |= {
                score: mean,
                f"{score}_low": (mean - half).clip(lower=0),
                f"{score}_high": (mean + half).clip(upper=most if score == "found" else 1),
            }
        return pd.DataFrame(made).reset_index()

    def area(self) -> pd.DataFrame:
        """Return the mean height of each run's curve, the best strategy first.

        All over the same numbers of labels: from where all runs have begun to where each strategy
        has come in some run. Runs that ended before, as in a race that was cancelled, do not count.

        Returns
        -------
        DataFrame
            Indexed by ``strategy``: mean over seeds of each score, averaged over the curve (the
            area under straight lines from row to row, divided by its length).
        """
        keys = ["strategy", "seed"] if "seed" in self.columns else ["strategy"]
        runs = [run for _, run in pd.DataFrame(self).groupby(keys, sort=False)]
        end = self.groupby("strategy")["n_labels"].max().min()
        whole = [run for run in runs if run["n_labels"].max() >= end]
        start = max((run["n_labels"].min() for run in whole), default=end)
        heights = pd.DataFrame(
            [
                {"strategy": run["strategy"].iat[0], **self._heights(run, start, end)}
                for run in whole
            ],
            columns=["strategy", *self.scores],
        )
        means = heights.groupby("strategy", sort=False).mean()
        return means.sort_values(self.scores[0], ascending=False, kind="stable")

    def _heights(self, run: pd.DataFrame, start: float, end: float) -> dict[str, float]:
        if start > end:  # no numbers of labels in common
            return dict.fromkeys(self.scores, np.nan)
        run = run.sort_values("n_labels")
        x = run["n_labels"].to_numpy(dtype=float)
        at = np.unique([start, *x[(x > start) & (x < end)], end])
        made = {}
        for score in self.scores:
            y = np.interp(at, x, run[score].to_numpy(dtype=float))
            made[score] = float(trapezoid(y, at) / (end - start) if end > start else y[-1])
        return made

    def plot(self, score: str | None = None, *, ax: Any = None, library: str | None = None) -> Any:
        """Draw the curves, with their intervals where there are several seeds.

        Parameters
        ----------
        score : {"found", "macro_f1", "agreement", "accuracy"}, optional
            By default the first of them that the curve has.
        ax : matplotlib Axes, optional
            To draw into.
        library : {"matplotlib", "altair"}, optional
            By default the first of them that is installed.

        Returns
        -------
        matplotlib Axes or altair Chart
        """
        score = self.scores[0] if score is None else score
        if score not in self.scores:
            raise OptionError(f"There is no score {score!r}. {near(score, self.scores)}")
        library = "matplotlib" if ax is not None else _library(library)
        if library == "altair":
            return _altair(self.summary(), score)
        if ax is None:
            from matplotlib import pyplot

            _, ax = pyplot.subplots(figsize=(7, 4), layout="constrained")
            ax.figure.patch.set_alpha(0)
        draw(self.summary(), score, ax)
        return ax


def _curve_or_frame(*args: Any, **options: Any) -> pd.DataFrame:
    frame = pd.DataFrame(*args, **options)
    columns = set(frame.columns)
    is_curve = {"n_labels", "strategy", "accuracy"} <= columns and bool(
        {"macro_f1", "agreement"} & columns
    )
    return LearningCurve(frame) if is_curve else frame


def _library(library: str | None) -> str:
    known = ("matplotlib", "altair")
    if library is not None and library not in known:
        raise OptionError(f"library= is 'matplotlib' or 'altair', got {library!r}.")
    for name in known if library is None else (library,):
        if importlib.util.find_spec(name) is not None:
            return name
    raise ImportError(
        f"To draw curves install {library or 'matplotlib (or altair)'}: "
        f"pip install {library or 'matplotlib'}. The numbers are in the table itself."
    )


def colors(names: list[str]) -> dict[str, str]:
    """Return a color for each name, gray for the baseline."""
    others = [name for name in names if name != _BASELINE]
    return {_BASELINE: GRAY} | {name: COLORS[k % len(COLORS)] for k, name in enumerate(others)}


def _title(table: pd.DataFrame, score: str) -> str:
    each = table.groupby("strategy")["n_seeds"].max()  # a race that runs has some of one more
    least, most = (int(each.min()), int(each.max())) if len(each) else (0, 0)
    seeds = f"{most}" if least == most else f"{least} to {most}"
    over = f", mean and 95 % interval over {seeds} seeds" if most > 1 else ""
    return f"{_TITLES[score]}{over}"


def _span(table: pd.DataFrame, score: str) -> tuple[float, float]:
    """Range of the means: a wide interval of few seeds must not press the lines together."""
    low, high = (0.0, 1.0) if table.empty else (table[score].min(), table[score].max())
    margin = max(0.06 * (high - low), 0.02)
    return float(low - margin), float(high + margin)


def draw(table: pd.DataFrame, score: str, ax: Any) -> None:
    """Draw a summary into axes of matplotlib; names stand at the ends of the lines."""
    names = list(dict.fromkeys(table["strategy"]))
    palette, ends = colors(names), []
    for name in names:
        rows = table[table["strategy"] == name]
        x, y = rows["n_labels"].to_numpy(), rows[score].to_numpy()
        style = {"color": palette[name], "linestyle": (0, (4, 2)) if name == _BASELINE else "-"}
        ax.plot(x, y, linewidth=2, marker="o" if len(x) == 1 else None, **style)
        if rows["n_seeds"].max() > 1:
            low, high = rows[f"{score}_low"], rows[f"{score}_high"]
            ax.fill_between(x, low, high, color=palette[name], alpha=0.12, linewidth=0)
        ends.append((x[-1], y[-1], name))
    ax.set_title(_title(table, score), loc="left", color=GRAY, fontsize=11)
    ax.set_xlabel("labels", color=GRAY)
    ax.tick_params(colors=GRAY)
    ax.set_facecolor("none")
    ax.grid(axis="y", color=GRAY, alpha=0.2)
    for side, spine in ax.spines.items():
        spine.set_visible(side == "bottom")
        spine.set_color(GRAY)
    low, high = _span(table, score)
    ax.set_ylim(low, high)
    right = max((x for x, _, _ in ends), default=1)
    at = _apart([y for _, y, _ in ends], 0.055 * (high - low))
    for (x, y, name), height in zip(ends, at, strict=True):
        ax.annotate(
            name, (x, y), xytext=(right, height), textcoords="data", color=palette[name],
            va="center", annotation_clip=False, fontsize=10,
        ).set_x(right + 0.015 * (right - table["n_labels"].min() + 1))  # fmt: skip


def _apart(heights: list[float], least: float) -> list[float]:
    """Move heights up or down, as little as may be, until they are `least` apart."""
    order = np.argsort(heights)
    # Groups of names that touch stand around their common middle.
    groups: list[list[int]] = []
    middle: list[float] = []
    for k in order:
        groups.append([int(k)])
        middle.append(float(heights[k]))
        while len(groups) > 1 and (
            middle[-1] - middle[-2] < least * (len(groups[-1]) + len(groups[-2])) / 2
        ):
            last = groups.pop()
            middle.pop()
            groups[-1] += last
            middle[-1] = float(np.mean([heights[i] for i in groups[-1]]))
    placed = [0.0] * len(heights)
    for members, center in zip(groups, middle, strict=True):
        for turn, k in enumerate(members):
            placed[k] = center + least * (turn - (len(members) - 1) / 2)
    return placed


def _altair(table: pd.DataFrame, score: str) -> Any:
    import altair

    names = list(dict.fromkeys(table["strategy"]))
    palette = colors(names)
    scale = altair.Scale(domain=names, range=[palette[name] for name in names])
    base = altair.Chart(table, title=altair.Title(_title(table, score), anchor="start")).encode(
        x=altair.X("n_labels:Q", title="labels"),
        color=altair.Color("strategy:N", scale=scale, legend=None),
    )
    low, high = _span(table, score)
    span = altair.Scale(domain=[low, high], nice=False)
    height = altair.Y(f"{score}:Q", title=None, scale=span)
    band = base.mark_area(opacity=0.12, clip=True).encode(
        y=altair.Y(f"{score}_low:Q", title=None, scale=span), y2=f"{score}_high:Q",
        fill=altair.Fill("strategy:N", scale=scale, legend=None),
    )  # fmt: skip
    line = base.mark_line(point=altair.OverlayMarkDef(size=12)).encode(
        y=height, tooltip=["strategy", "n_labels", altair.Tooltip(f"{score}:Q", format=".3f")]
    )
    ends = table.loc[table.groupby("strategy", sort=False)["n_labels"].idxmax()]
    ends = ends.assign(height=_apart(ends[score].tolist(), 0.055 * (high - low)))
    text = (
        altair.Chart(ends)
        .mark_text(align="left", dx=6)
        .encode(
            x="n_labels:Q", y=altair.Y("height:Q", scale=span), text="strategy:N",
            color=altair.Color("strategy:N", scale=scale, legend=None),
        )
    )  # fmt: skip
    return (
        (band + line + text)
        .properties(width=460, height=260, background="transparent")
        .configure_view(stroke=None)
        .configure_axis(labelColor=GRAY, titleColor=GRAY, gridOpacity=0.2, domainColor=GRAY)
        .configure_title(color=GRAY, fontWeight="normal")
    )
