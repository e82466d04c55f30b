"""What a session tells of its labels and of its items: the report, the review, what is alike.

Mixed into `Session`, whose parts it reads under its lock. What takes long runs where models learn,
without the lock.
"""

from __future__ import annotations

from collections.abc import Hashable
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from . import finding
from ._core import Core
from .certify import Certificate
from .errors import OptionError, in_words
from .evidence import (
    LEAST_LABELS,
    METHODS,
    Arms,
    CrossFit,
    Facts,
    judge,
    review_table,
    take_down,
    write_report,
)
from .pool import Pool
from .report import Report


class Inspection(Core):
    """The part of a session that looks back and looks around."""

    #: What is searched, and groups of duplicates: made when they are first asked for.
    _texts: list[str] | None = None
    _groups: tuple[NDArray[np.intp], NDArray[np.bool_]] | None = None

    # ------------------------------------------------------------ finding

    def similar(self, item: Hashable, k: int = 20) -> pd.DataFrame:
        """Return the items most like one, by the cosine of what the model sees of them.

        That is rows of features, or where the default model learns from several views: latent
        directions of texts, and of rows of numbers their radial kernel. All items are compared, so
        none is missed. Give the result to `ask`.

        Parameters
        ----------
        item : Asked, item id, or label of the source's index
        k : int

        Returns
        -------
        DataFrame
            Indexed by the source's index, the most similar first: ``item``, ``similarity``,
            ``labeled``.

        Raises
        ------
        OptionError
            If there are no features of these items.
        """
        k = finding.checked_k(k)
        with self._lock:
            pool, suggester = self.pool, self._suggester
            place = pool.position(getattr(item, "id", None) or pool.id_of(item))
        if suggester is None:
            raise OptionError(f"What is alike is told by what the model sees. {self._no_model()}")
        job = partial(finding.nearest, suggester, place, k)
        places, alike = self._trainer.ask(job, timeout=self._time_limit())
        return self._as_table(pool, places, similarity=alike.astype(float))

    def search(self, text: str, k: int | None = None) -> pd.DataFrame:
        """Return the items whose text has all words of a query, in the order of the pool.

        Case does not matter, words are found inside others too, and ``"words in quotes"`` stand for
        themselves. Give the result to `ask`.

        Parameters
        ----------
        text : str
        k : int, optional
            At most so many.

        Returns
        -------
        DataFrame
            Indexed by the source's index: ``item``, ``labeled``.

        Raises
        ------
        OptionError
            If the items have no text, or the query no word.
        """
        if not isinstance(text, str):
            raise OptionError(f"search takes a text, got {type(text).__name__}.")
        pool, found = self._with_words(text)
        return self._as_table(pool, found if k is None else found[: finding.checked_k(k)])

    def _with_words(self, text: str) -> tuple[Pool, NDArray[np.intp]]:
        with self._lock:
            pool, texts = self.pool, self._texts
        if texts is None or len(texts) != len(pool):
            self._texts = texts = finding.texts_of(pool, self.renderer)
        return pool, finding.search(texts, text)

    def duplicates(self) -> pd.DataFrame:
        """Return the items that are there twice or more, exactly or nearly.

        Found once, at the first call; see `finding.duplicate_groups` for what counts as the same.

        Returns
        -------
        DataFrame
            Indexed by the source's index: ``item``, ``group`` (the id of its first one), ``exact``
            (whether it is exactly that one), ``labeled``; group by group.
        """
        pool, group, exact = self._grouped()
        together = finding.members(group)
        places = np.array([k for ones in together.values() for k in ones], dtype=np.intp)
        first = [pool.ids[group[place]] for place in places.tolist()]
        return self._as_table(pool, places, group=first, exact=exact[places])

    def check(self) -> pd.DataFrame:
        """Return what is better looked at before labeling starts.

        Returns
        -------
        DataFrame
            Indexed by the source's index: ``item``, ``problem`` (``"empty"``, ``"corrupt"``,
            ``"duplicate"`` or ``"outlier"``), ``reason``, ``labeled``.
        """
        pool, group, exact = self._grouped()
        job = partial(_problems, pool, self.renderer, self._suggester, (group, exact))
        rows = self._trainer.ask(job, timeout=self._time_limit())
        places = np.array([place for place, _, _ in rows], dtype=np.intp)
        return self._as_table(
            pool, places, problem=[kind for _, kind, _ in rows], reason=[why for _, _, why in rows]
        )

    def _grouped(self) -> tuple[Pool, NDArray[np.intp], NDArray[np.bool_]]:
        with self._lock:
            pool, suggester, known = self.pool, self._suggester, self._groups
        if known is None or len(known[0]) != len(pool):
            job = partial(finding.duplicate_groups, pool, self.renderer, suggester)
            known = self._trainer.ask(job, timeout=self._time_limit())
            with self._lock:
                self._groups = known
        return pool, *known

    def _as_table(self, pool: Pool, places: NDArray[np.intp], **columns: Any) -> pd.DataFrame:
        with self._lock:
            return finding.table(pool, places, self._labeled.__contains__, **columns)

    # ------------------------------------------------------------ honest numbers

    def report(self) -> Report:
        """Return all honest numbers, each with its interval and what it rests on.

        Computed from the log, and by models that are fitted now without a part of the labels, in
        the place where models learn: for a large pool that takes as long as some trainings.

        Returns
        -------
        Report
            Shows itself in a notebook; ``to_dict()`` is JSON, ``save(path)`` a page of its own.
        """
        facts = self._facts()
        try:
            crossed, arms = self._judge(facts, race=True)
            trouble = "" if crossed is not None else self._why_not_judged(facts)
        except Exception as error:  # of a model: the rest of the report stands
            crossed = arms = None
            trouble = f"No model could judge the labels: {in_words(error)}."
        with self._lock:
            certificates = [_told(certificate) for certificate in self._labels.certificates]
        return write_report(facts, crossed, arms, trouble, certificates)

    def review(self, k: int | None = None, *, method: str = "auto") -> pd.DataFrame:
        """Return the labels of people, the most suspicious first.

        Models that have not seen a label judge it. Give the result to `ask`, whole or in part, and
        its items are asked again, blind.

        Parameters
        ----------
        k : int, optional
            At most so many rows.
        method : {"auto", "nblabel", "cleanlab"}
            How suspicion is measured: see `evidence.suspicious`. ``"auto"`` takes cleanlab if it is
            installed.

        Returns
        -------
        DataFrame
            Indexed by the source's index: ``item``, the columns of the task, ``suggested``,
            ``quality`` (the lower, the more suspicious; NaN without a model), ``wrong`` (by
            confident learning; Northcutt, Jiang, Chuang, JAIR 2021), ``changed`` (whether
            judgements of it disagree), ``earlier`` (the newest that does), ``annotator``,
            ``labeled_at``.

        Raises
        ------
        OptionError
            If there is no such method, or it is not installed.
        """
        if method not in METHODS:
            raise OptionError(f"method= is one of {', '.join(map(repr, METHODS))}, got {method!r}.")
        most = None if k is None else finding.checked_k(k)
        facts = self._facts()
        return review_table(facts, self._judge(facts, race=False)[0], method)[:most]

    def _facts(self) -> Facts:
        with self._lock:
            self._catch_up()
            return take_down(
                self._labels, self.pool, self.task, self.is_blind, self._stability, self.status(),
                self._described(),
            )  # fmt: skip

    def _described(self) -> str:
        """Say what learns, for the report."""
        suggester, model, _ = self._given
        if self._predictions is None:
            return ""
        own = suggester if suggester is not None else model
        what = "nblabel's default engine" if own is None else type(own).__name__
        aim = f", the next items from {self.aim}" if self.aim else ""
        return f"{what}, last trained on {self._predictions.n_labels:,} labels{aim}"

    def _judge(self, facts: Facts, *, race: bool) -> tuple[CrossFit | None, Arms | None]:
        if self._suggester is None or len(facts.known) < LEAST_LABELS:
            return None, None
        job = partial(judge, self._suggester, self.task, facts.known, self.random_state, race)
        found: tuple[CrossFit | None, Arms | None]
        found = self._trainer.ask(job, timeout=self._time_limit())
        return found

    def _why_not_judged(self, facts: Facts) -> str:
        if self._suggester is None:
            return "No model learns here, so nothing is said that needs one."
        short = LEAST_LABELS - len(facts.known)
        needs = f"{short} more labels" if short > 0 else "labels of more than one class"
        return f"No model could judge the labels yet: it needs {needs}."


def _problems(*parts: Any) -> list[tuple[int, str, str]]:
    return list(finding.problems(*parts))


def _told(certificate: Certificate) -> dict[str, Any]:
    """What a report says of a certificate; the methods paragraph only of one that stands."""
    told = certificate.to_dict()
    names = ("id", "machine", "audited", "errors", "revoked", "explanation")
    sentence = "" if certificate.revoked else certificate.explanation
    return {**{name: told[name] for name in names}, "sentence": sentence}
