"""How a session certifies: attempts and certificates are in the log, and followed from there."""

from __future__ import annotations

import warnings
from typing import Any

import pandas as pd

from . import _certifying
from ._certifying import Certification
from ._core import Core
from .certify import Certificate
from .errors import OptionError, StoreMismatchError, shorten
from .events import VERIFY, LabelEvent


class Certificates(Core):
    """The part of a session that has labels of the machine certified."""

    _reached = ""  # the certificate that came about while this session was there

    def certify(
        self,
        max_error: float = 0.02,
        confidence: float = 0.95,
        form: str = "pool",
        *,
        blind: bool = True,
        traps: float = 0.2,
        train: bool = False,
        seed: int | None = None,
    ) -> Certification:
        """Begin to certify labels of the newest model, or go on with what was begun.

        The model is frozen, the items without a label are put forward, ranked by its doubt, and
        their order is drawn and written to the log before the first answer. Verify what
        `Certification.next` gives. It ends once going on is not likely to spare looks: then
        ``auto:<certificate>`` labels all of them, or the surest ones, and the rest is left to
        people. With suggestions in sight, and for the machine's labels alone, the ones to label
        are chosen beforehand.

        Parameters
        ----------
        max_error : float
            Share that may be labeled wrong.
        confidence : float
            Over all attempts together.
        form : {"pool", "machine"}
            Whether that is a share of all items, where people's labels count as right, or of the
            machine's labels alone, which is stricter.
        blind : bool
            Whether who verifies sees no suggestions. Else there are traps, items with a known label
            and a wrong suggestion, and the share that was missed makes the bound stricter.
        traps : float
            Traps for each item verified, where suggestions are shown.
        train : bool
            Whether the model may learn from the certified labels.
        seed : int, optional
            Of the order; drawn by default.

        Returns
        -------
        Certification

        Raises
        ------
        NotFittedError
            If there is no model yet.
        OptionError
            If an argument is off, other terms are being certified, or no look would be spared.
        """
        with self._lock:
            self._fold()
            running = self._certification
            if running is not None and running.is_running:
                terms = running.terms
                if (terms.max_error, terms.confidence, terms.form, terms.shown, terms.train) != (
                    max_error, confidence, form, not blind, train,
                ):  # fmt: skip
                    raise OptionError(
                        f"Attempt {running.id} is running, on other terms: {terms.max_error:g} "
                        f"errors at confidence {terms.confidence:g} for the {terms.form}. Go on "
                        "with session.certifying, or session.certifying.close() it first."
                    )
                return running
            said = _certifying.begin(
                self, self._labels, max_error, confidence, form, blind=blind, traps=traps,
                train=train, seed=seed,
            )  # fmt: skip
            self._tell_certify(said.pop("attempt"), said.pop("step"), **said)
            assert self._certification is not None
            self.refresh()
            return self._certification

    def certifiable(
        self,
        max_error: float = 0.02,
        confidence: float = 0.95,
        form: str = "pool",
        *,
        blind: bool = True,
        traps: float = 0.2,
    ) -> dict[str, Any]:
        """Return what `certify` would put forward now, and what it is likely to cost.

        The parameters are those of `certify`.

        Returns
        -------
        dict
            ``machine`` (items that the machine would label), ``audits`` (items to verify; traps
            come to them), ``by_hand`` (items left to people), ``looks`` (the last two together),
            ``advice``. All are estimates: the certificate rests on none of them.
        """
        with self._lock:
            choice = _certifying.plan(
                self, self._labels, max_error, confidence, form, 0.0 if blind else traps
            )[0]
            return {
                "machine": choice.machine - choice.audits,
                "audits": choice.audits,
                "by_hand": choice.by_hand,
                "looks": choice.looks,
                "advice": _certifying.advice(choice, len(self._labeled)),
            }

    @property
    def certifying(self) -> Certification | None:
        """The newest certification: running, certified, revoked or closed; None if there is none.

        In another kernel too: it is in the log.
        """
        with self._lock:
            return self._certification

    @property
    def certificates(self) -> pd.DataFrame:
        """One row per certificate, with its evidence and one plain sentence; oldest first."""
        with self._lock:
            return _certifying.table(self._labels.certificates, len(self.pool))

    def revoke(self, certificate: str | Certificate) -> None:
        """Take back a certificate and all of its labels, in one event.

        Parameters
        ----------
        certificate : str or Certificate
            Its id, with or without ``auto:``.

        Raises
        ------
        OptionError
            If there is no such certificate, or it was revoked already.
        """
        name = certificate.id if isinstance(certificate, Certificate) else str(certificate)
        name = name.removeprefix("auto:")
        with self._lock:
            self._fold()
            standing = [c.id for c in self._labels.certificates if not c.revoked]
            if name not in standing:
                raise OptionError(
                    f"There is no certificate {name!r} to revoke; standing are "
                    f"{shorten(standing) or 'none'}."
                )
            self._tell_certify(name, "revoke")

    def _tell_certify(self, attempt: str, step: str, **said: Any) -> None:
        if self._stale:
            raise StoreMismatchError(f"{self._stale}.")
        self._log.append([_certifying.say(attempt, step, self.annotator, **said)])
        self._fold()

    def _follow(self, event: LabelEvent) -> None:
        """Take over what the log says of a certification."""
        attempt = self._labels.attempts[event.value["attempt"]]
        if event.value["step"] != "trap":
            self._queue.drop(VERIFY)
            self._queue.changed()
        if event.value["step"] == "begin":
            self._certification = Certification(self, attempt)
        elif attempt.certificate is not None:
            for item in attempt.items:
                if item in self.pool.places:
                    self._settle(item)
            self._changes += attempt.terms.train
            is_new = self._ready and event.value["step"] == "certify"
            self._reached = attempt.terms.id if is_new else ""

    def _check_certification(self) -> None:
        """Close what cannot go on with this data, and say what certificates do not cover."""
        running = self._certification
        if running is not None and running.is_running and not running.fits(self.pool):
            self._add_warning(
                f"Certification {running.id} cannot go on: some of its items have changed or are "
                "gone. It is closed; certify() begins another one."
            )
            running.close()
        self._say_outgrown()

    def _say_outgrown(self) -> None:
        text = _certifying.outgrown(self._labels, len(self.pool))
        if text and text not in self.warning:
            self._add_warning(text)

    def _add_warning(self, text: str) -> None:
        self.warning = f"{self.warning} {text}".strip()
        warnings.warn(text, stacklevel=4)

    def _certify_status(self) -> dict[str, Any] | None:
        newest = self._certification
        reached = newest is not None and newest.id == self._reached
        if newest is None or not (newest.is_running or reached):
            return None
        return newest.status
