"""The report, the review and what is asked again: without a screen."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nblabel._answering import REPEAT_AFTER
from nblabel.errors import OptionError, StoreError
from nblabel.estimate import Estimate
from nblabel.events import LabelEvent, Shown, new_id, now
from nblabel.evidence import anchoring, known_labels, repeats
from nblabel.evidence.review import confident_learning
from nblabel.report import Report
from nblabel.session import Session
from nblabel.simulation import simulate
from nblabel.tasks import MultiLabel
from nblabel.testing import FakePage

from .test_session import CLASSES, TEXTS, TRUTH, make

MANY = [f"{text} {k}" for k in range(10) for text in TEXTS]
TRUTHS = TRUTH * 10


def labeled(n: int = 200, **options: Any) -> Session:
    """A session with n labels, half of them random draws."""
    session = make(MANY, **{"explore": 0.5, "batch": 20, **options})
    simulate(session, np.array(TRUTHS), n)
    return session


class Page(HTMLParser):
    """What a browser would see of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[str] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [name for name, _ in attrs]

    def handle_data(self, data: str) -> None:
        self.text += data


# ---------------------------------------------------------------- asked by name


def test_what_is_asked_by_name_comes_next_in_its_order() -> None:
    session = make(explore=0)
    first = session.next(2)
    late, later = [i for i in session.pool.ids if i not in {one.id for one in first}][-2:]
    session.ask([late, later, late])
    asked = session.next(3)
    assert [one.id for one in asked[:2]] == [late, later] and asked[2].id not in (late, later)
    assert [one.shown.strategy for one in asked[:2]] == ["asked", "asked"]
    assert session.next(3) == asked
    session.record(asked[0], "ham")
    assert session.next()[0].id == later
    session.skip(session.next()[0])
    assert {one.id for one in session.next(38)} >= {one.id for one in first}
    assert not {late, later} & {one.id for one in session.next(40)}
    with pytest.raises(OptionError, match=r"write ask\(\['7'\]\)"):
        session.ask("7")


def test_a_labeled_item_is_asked_again_blind_and_both_labels_are_kept() -> None:
    session = labeled(60, blind=0)
    item = next(iter(session.labels.index))
    name = str(item)
    before = session.said(name)[0]
    session.ask([item])
    asked = session.next()[0]
    assert asked.id == name and asked.suggestion is not None
    assert (asked.shown.strategy, asked.shown.visible) == ("review", False)
    assert session.said(name)[0] is None  # nor does the page see the old label
    other = "spam" if before == "ham" else "ham"
    event = session.record(asked, other)
    assert (event.shown.strategy, event.shown.predicted) == ("review", None)
    assert session.said(name)[0] == other and session.next()[0].id != name
    row = session.review().query("changed").iloc[0]
    assert (row["item"], row["label"], row["earlier"]) == (name, other, before)
    session.undo()
    assert session.said(name)[0] == before
    assert not session.review()["changed"].any()


def test_a_page_asks_again_blind_and_undo_brings_the_first_answer_back() -> None:
    session = make(explore=0)
    session.record("1", "ham")
    page = FakePage(session).open()
    rank = page.status["rank"]
    session.ask(["1", "2"])
    page.want(20, keep=[])
    assert page.status["rank"] > rank and page.order[:2] == ["1", "2"]
    asked = page.items["1"]
    assert (asked["label"], asked["reason"]) == (None, "to be judged again")
    assert (asked["shown"]["strategy"], asked["shown"]["visible"]) == ("review", False)
    page.label("1", "spam")
    assert session.labels.loc[1, "label"] == "spam" and page.trail[-1]["item"] == "1"
    page.want(20)
    assert "1" not in page.order
    page.undo()
    assert session.labels.loc[1, "label"] == "ham"
    page.want(0, ids=["1"])
    assert page.items["1"]["label"] == "ham"


def test_silent_repeats_come_to_a_page() -> None:
    session = make(MANY, repeat=0.4, explore=0, model=False)
    page = FakePage(session).open(5)
    again = 0
    for _ in range(120):
        if not page.order:
            page.want(5)
        item = page.order[0]
        part = page.items[item]
        assert part["label"] is None and not part["shown"]["visible"]
        if part["shown"]["strategy"] == "repeat":
            assert (
                part["reason"] == "drawn at random" and session.labels.index.isin([int(item)]).any()
            )
            again += 1
        page.label(item, "ham")
    assert 20 < again < 70 and len(session.labels) == 120 - again


def test_a_random_draw_that_is_asked_by_name_stays_one() -> None:
    session = make(explore=1.0)
    teach = session.next(3)
    assert all(one.shown.audit for one in teach)
    session.ask([teach[2].id])
    assert session.next()[0].shown == teach[2].shown


# ---------------------------------------------------------------- silent repeats


def test_some_items_come_back_silently() -> None:
    session = make(MANY, repeat=0.3, explore=0, model=False)
    asked: list[Any] = []
    for k in range(150):
        one = session.next()[0]
        before = session.labels["label"].get(int(one.id))
        if one.shown.strategy == "repeat":
            assert one.reason == "drawn at random" and not one.shown.visible
            assert before is not None and session.said(one.id)[0] is None
            assert one.id not in [other.id for other in asked[-REPEAT_AFTER:]]
            label = before if k % 4 else "ham"
        else:
            assert before is None
            label = CLASSES[k % 2]
        asked.append(one)
        session.record(one, label)
    back = [one.id for one in asked if one.shown.strategy == "repeat"]
    assert 20 <= len(back) == len(set(back))  # none comes back twice
    assert len(session.labels) == 150 - len(back)
    first, second = repeats(session._labels)
    assert len(first) == len(back) and first != second
    report = session.report()
    assert report.agreement_repeats.n == len(back)
    assert report.agreement_repeats.value == np.mean(np.array(first) == np.array(second))
    assert "silently asked again" in report.methods
    assert sum(report.chosen_by.values()) == len(session.labels)  # by how they came first
    assert "repeat" not in report.chosen_by


@pytest.mark.parametrize("repeat", [0.6, -0.1, True, "often"])
def test_a_share_of_repeats_is_a_share(repeat: Any) -> None:
    with pytest.raises(OptionError, match=r"repeat= is a share from 0 to 0.5"):
        make(repeat=repeat)


def test_without_a_share_nothing_comes_back() -> None:
    assert set(labeled(100).history["shown_strategy"]) & {"repeat", "review"} == set()


# ---------------------------------------------------------------- evidence


def card(session: Session, item: str, label: str, visible: bool, **shown: Any) -> LabelEvent:
    made = Shown(suggestion="ham", visible=visible, **shown)
    return LabelEvent(new_id(), "label", item, "ana", label, now(), 1.0, made)


def test_anchoring_counts_what_chance_has_hidden() -> None:
    session = make(MANY, blind=0.5, inline=True, model=False)
    hidden = {item for item in session.pool.ids if session.is_blind(item)}
    shown = [item for item in session.pool.ids if item not in hidden]
    blind = [item for item in session.pool.ids if item in hidden]
    session.append([card(session, item, "ham", True) for item in shown[:5]])
    session.append([card(session, item, "spam", False) for item in blind[:3]])
    session.append([card(session, blind[3], "ham", False)])
    # Out: a second answer, one for which suggestions were switched off, the blind ones meanwhile,
    # one that no card showed, and one that came back.
    session.append([card(session, shown[0], "spam", True)])
    session.append([card(session, shown[5], "spam", False), card(session, blind[4], "ham", False)])
    session.record(shown[6], "spam")
    session.append([card(session, blind[5], "ham", False, strategy="repeat")])
    found = anchoring(session._labels, session.task, session.is_blind)
    assert found == ((5, 1), (5, 4))


def test_random_draws_from_a_smaller_pool_are_none_of_the_larger() -> None:
    session = make(MANY[:200], explore=1.0, model=False)
    for asked in session.next(30):
        session.record(asked, "ham")
    assert known_labels(session._labels, session.pool).drawn.sum() == 30
    session.add(MANY[200:])
    known = known_labels(session._labels, session.pool)
    assert len(known) == 30 and not known.drawn.any() and known.n_items == 400
    for asked in session.next(10):
        session.record(asked, "ham")
    session.skip(session.next()[0])
    known = known_labels(session._labels, session.pool)
    assert known.drawn.sum() == 10 and known.n_items == 399


# ---------------------------------------------------------------- the report


def test_the_report_knows_what_the_log_proves(tmp_path: Path) -> None:
    session = labeled(200)
    report = session.report()
    assert (report.items, report.labeled, report.left) == (400, 200, 200)
    assert report.accuracy.value == session.accuracy().value  # type: ignore[union-attr]
    assert report.counts == session.status()["counts"] and report.trouble == ""
    truth = TRUTHS.count("spam") / len(TRUTHS)
    spam = report.class_shares["spam"]
    assert spam.low <= truth <= spam.high and spam.high - spam.low < 0.2  # type: ignore[operator]
    assert report.unseen.value == 0 and report.unseen.high < 0.05  # type: ignore[operator]
    assert report.helping.known and report.advice.advice in ("stop", "go on")
    assert not report.anchoring.known and report.anchoring.needs == 20
    plain = json.loads(json.dumps(report.to_dict(), allow_nan=False))
    assert plain["class_shares"]["spam"]["n"] == spam.n and plain["methods"] == report.methods
    for words in ("progressive validation", "prediction-powered", "Good-Turing", "200 of 400"):
        assert words in report.methods
    page = Page(report._repr_html_())
    assert "not known yet: needs 20 more suggestions" in page.text and "polyline" in page.tags
    report.save(tmp_path / "report.html")
    alone = (tmp_path / "report.html").read_text()
    assert report._repr_html_() in alone and "default-src 'none'" in alone
    with pytest.raises(StoreError, match="cannot be written"):
        report.save(tmp_path / "nowhere" / "report.html")
    session.close()
    assert session.report().accuracy == report.accuracy  # of what it knows
    assert repr(report).startswith("Report(200 of 400 items labeled; accuracy on what is left: ")


def test_nothing_is_said_before_it_is_known() -> None:
    session = make()
    report = session.report()
    numbers = [
        getattr(report, name)
        for name in ("accuracy", "gain", "helping", "unseen", "anchoring", "agreement_repeats")
    ]
    assert not any(number.known for number in numbers)
    assert report.pace is None and report.n_wrong is None and report.suspicious == ()
    assert report.trouble == "No model could judge the labels yet: it needs 20 more labels."
    assert report.advice.reason == "It needs 3 more trainings in this kernel."
    assert re.search(r"\d %", Page(report._repr_html_()).text) is None
    assert session.review().empty and list(session.review().columns)[:2] == ["item", "label"]
    assert "No model learns here" in make(model=False).report().trouble


def test_the_report_of_many_answers_to_one_item() -> None:
    names = ["money", "day"]
    session = make(MANY, MultiLabel(names), batch=20, explore=0.5)
    for asked in session.next(60):
        session.record(asked, [name for name in names if name in asked.content])
    report = session.report()
    assert report.class_shares == {} and "one class" in report.unseen.said()
    assert report.n_wrong == 0
    session.record(asked, ["day"] if "money" in asked.content else ["money"])
    session.retrain(wait=True)
    assert session.review()["item"].iloc[0] == asked.id


def test_what_breaks_in_a_model_is_said_and_the_rest_stands() -> None:
    class Broken:
        calls = 0

        def fit(self, snapshot: Any) -> Any:
            raise ValueError("no such thing")

        def embedding(self) -> None:
            return None

    session = make(suggester=Broken(), strategy="random")
    with pytest.warns(UserWarning, match="no such thing"):
        for k in range(30):
            session.record(str(k), TRUTH[k])
    report = session.report()
    assert "no such thing" in report.trouble and report.labeled == 30
    with pytest.raises(ValueError, match="no such thing"):
        session.review()


NASTY = "</td><script>alert(1)</script>$$\\href{x}{y}$$ \ud800 \" onload='x'"


def test_no_data_becomes_part_of_the_page(tmp_path: Path) -> None:
    session = make([f"{text} {NASTY}" for text in TEXTS], [NASTY.replace("\ud800", ""), "ham<b>"],
                   annotator="ana<img src=x>")  # fmt: skip
    classes = session.task.spec()["classes"]
    for k in range(30):
        session.record(str(k), classes[k % 2 if k else 1], seconds=1.0)
    session.retrain(wait=True)
    report = session.report()
    assert any(NASTY[:10] in row["text"] for row in report.suspicious)
    page = Page(report._repr_html_())
    safe = {"div", "style", "h2", "h3", "p", "b", "table", "thead", "tbody", "tr", "th", "td",
            "svg", "polygon", "polyline", "line", "text", "circle"}  # fmt: skip
    assert set(page.tags) <= safe
    assert not [name for name in page.attributes if name.startswith("on") or name == "src"]
    assert "ana<img src=x>" in page.text and "<script>" in page.text  # as text
    report.save(tmp_path / "report.html")


def test_a_certificate_is_shown_if_there_is_one() -> None:
    fields = {**make().report().__dict__, "certificates": ({"id": "c1", "sentence": "All fine."},)}
    report = Report(**fields)
    assert "Certificates" in report._repr_html_() and report.methods.endswith("All fine.")
    assert "Certificates" not in make().report()._repr_html_()


# ---------------------------------------------------------------- review


@pytest.mark.parametrize("way", ["inline", "thread"])
def test_wrong_labels_come_first(way: str) -> None:
    session = make(MANY, worker=way, inline=way == "inline", batch=400, explore=0.5)
    wrong = {"5", "60", "111", "222"}
    for k in range(300):
        right = TRUTHS[k]
        other = "ham" if right == "spam" else "spam"
        session.record(str(k), other if str(k) in wrong else right)
    session.retrain(wait=True)
    chosen = session.suggestion("399")
    found = session.review(method="nblabel")
    assert set(found["item"].iloc[:4]) == wrong and found["wrong"].iloc[:4].all()
    assert found["wrong"].sum() == 4 and len(found) == 300
    assert list(found["suggested"].iloc[:4]) == [TRUTHS[int(item)] for item in found["item"][:4]]
    assert session.suggestion("399") == chosen  # the model is as it was
    session.ask(found.head(4))
    for asked in session.next(4):
        assert asked.shown.strategy == "review"
        session.record(asked, TRUTHS[int(asked.id)])
    again = session.review(10, method="nblabel")
    assert len(again) == 10 and not again["wrong"].any()
    session.close()


def test_confident_learning_is_that_of_the_paper() -> None:
    # Two classes; a label is wrong if another class is above its own usual probability.
    codes = np.array([0, 0, 0, 1, 1, 1])
    own = np.array([0.9, 0.8, 0.3, 0.9, 0.45, 0.7])
    proba = np.where(np.arange(2) == codes[:, None], own[:, None], 1 - own[:, None])
    # usual: 0.667 and 0.683; of the third 0.7 for class 1, of the fifth 0.55 for class 0.
    assert confident_learning(codes, proba).tolist() == [False, False, True, False, False, False]


def test_cleanlab_finds_the_same_where_it_is_installed() -> None:
    pytest.importorskip("cleanlab")
    session = make(MANY, batch=400)
    for k in range(100):
        session.record(str(k), TRUTHS[k] if k != 7 else "ham")
    session.retrain(wait=True)
    found, own = (session.review(method=method) for method in ("cleanlab", "nblabel"))
    assert found["item"].iloc[0] == own["item"].iloc[0] == "7"
    assert found["wrong"].iloc[0] and found["quality"].equals(own["quality"])
    assert session.review().equals(found)


def test_a_method_of_review_is_known_and_there() -> None:
    with pytest.raises(OptionError, match="method= is one of 'auto', 'nblabel', 'cleanlab'"):
        make().review(method="guess")
    with pytest.raises(OptionError, match="got -1"):
        make().review(-1)


def test_an_estimate_of_the_report_is_a_plain_record() -> None:
    assert isinstance(make().report().accuracy, Estimate)


def test_a_suggester_of_the_users_is_asked_for_nothing_that_it_need_not_have() -> None:
    class Mine:
        """Not ours, though it has features."""

        def __init__(self) -> None:
            inner = make(MANY)
            self.inner = inner._suggester
            inner.close()

        def features(self) -> Any:
            return self.inner.features()

        def embedding(self) -> Any:
            return self.inner.embedding()

        def fit(self, snapshot: Any) -> Any:
            return self.inner.fit(snapshot)

    session = labeled(60, suggester=Mine())
    assert session.last_error is None
    assert {"item", "label"} <= set(session.review().columns)
