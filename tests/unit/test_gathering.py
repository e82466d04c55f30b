"""Many items at once: which ones a page gets, what is recorded, and what it must not count as."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from nblabel.session import Session
from nblabel.tasks import MultiLabel
from nblabel.testing import FakePage
from nblabel.widget import desk as desk_module

N = 120
RNG = np.random.default_rng(5)
TRUTH = np.array(["ham", "spam"])[RNG.integers(2, size=N)]
POINTS = np.column_stack([np.where(TRUTH == "spam", 2.0, -2.0), RNG.normal(size=N)])
POINTS[:, 0] += 0.6 * RNG.normal(size=N)
TEXTS = [f"{'prize' if TRUTH[k] == 'spam' else 'lunch'} number {k} 🤔" for k in range(N)]


def make(data: Any = None, **options: Any) -> Session:
    options = {"store": None, "annotator": "ana", "inline": True, "features": POINTS, **options}
    return Session(TEXTS if data is None else data, ["ham", "spam"], **options)


def taught(n: int = 12, **options: Any) -> Session:
    session = make(**options)
    for k in range(n):
        session.record(k, TRUTH[k])
    session.retrain(wait=True)
    return session


def sureness(session: Session, items: list[str]) -> list[float]:
    return [session.suggestion(item).confidence for item in items]  # type: ignore[union-attr,misc]


# ---------------------------------------------------------------- by class


def test_a_page_of_what_is_believed_to_be_of_a_class_the_surest_first() -> None:
    session = taught()
    page = FakePage(session).open()
    items = page.find("class", "spam", n=10)
    found = page.found
    assert len(items) == 10 and found["of"] == "spam" and found["error"] is None
    assert {session.suggestion(item).label for item in items} == {"spam"}  # type: ignore[union-attr]
    sure = sureness(session, items)
    assert sure == sorted(sure, reverse=True)
    believed = session.predictions.query("not labeled")["label"].value_counts().to_dict()
    assert found["counts"] == believed
    assert found["left"] == believed["spam"] - 10
    least = page.find("class", "spam", n=10, least=True)
    assert sureness(session, least) == sorted(sureness(session, least))
    assert sureness(session, least)[-1] <= sure[-1]
    # What the page has does not come again, and all of them come in the end.
    rest = page.find("class", "spam", n=500, but=items)
    assert not set(rest) & set(items) and len(rest) == believed["spam"] - 10
    assert page.found["left"] == 0


def test_a_class_that_nobody_names_is_the_one_believed_of_most() -> None:
    session = taught()
    page = FakePage(session)
    page.find("class", n=3)
    counts = page.found["counts"]
    assert page.found["of"] == max(counts, key=counts.get)
    assert page.find("class", "eggs") == [] and page.found["error"] is None


def test_what_a_column_suggests_is_believed() -> None:
    frame = pd.DataFrame({"text": TEXTS, "guess": list(TRUTH)})
    session = make(frame, text="text", features=None, suggester="guess")
    page = FakePage(session)
    items = page.find("class", "spam", n=500)
    assert items == [str(k) for k in range(N) if TRUTH[k] == "spam"]
    assert page.found["items"][0]["shown"]["suggestion"] == "spam"


def test_each_item_is_answered_by_an_event_of_its_own_that_counts_as_no_draw() -> None:
    session = taught(explore=0.5)
    page = FakePage(session).open(40)
    audits = {item for item, part in page.items.items() if part["shown"]["audit"]}
    items = page.find("class", "spam", n=30)
    assert audits & set(items), "some of them were drawn, and are on the page"
    before = session.accuracy(), session._measured().audits
    values = {item: "ham" if k == 3 else "spam" for k, item in enumerate(items)}
    events = page.label_all(values)
    assert page.outbox == {} and not page.rejected
    labels = session.labels.loc[[int(item) for item in items]]
    assert labels["label"].to_dict() == {int(item): value for item, value in values.items()}
    assert set(labels["strategy"]) == {"grid"} and labels["visible"].all()
    assert set(labels["suggestion"]) == {"spam"} and not labels["audit"].any()
    history = session.history.set_index("id").loc[events]
    assert set(history["shown_view"]) == {"grid"} and history["shown_draw"].isna().all()
    assert sorted(history["shown_position"]) == list(history["shown_position"])
    # Chosen by what the model believes: no draw, no choice of the strategy, no blind arm.
    assert (session.accuracy(), session._measured().audits) == before
    facts = session._facts()
    of_page = np.isin(facts.known.positions, [int(item) for item in items])
    assert of_page.sum() == 30
    assert not (facts.known.drawn | facts.known.picked)[of_page].any()
    assert facts.arms == ((0, 0), (0, 0))


def test_a_whole_page_is_written_at_once_and_taken_back_at_once() -> None:
    session = taught()
    page = FakePage(session)
    written: list[int] = []
    append = session._log.append
    session._log.append = lambda events: (written.append(len(events)), append(events))[1]  # type: ignore[method-assign]
    items = page.find("class", "ham", n=25)
    events = page.label_all(dict.fromkeys(items, "ham"))
    assert written == [25]
    trained = session.status()["version"]
    assert trained == taught().status()["version"] + 1, "one training for all of it"
    for event, item in reversed(list(zip(events, items, strict=True))):
        page.retract(event, item)
    assert len(session.labels) == 12 and page.find("class", "ham", n=25)


def test_a_page_with_a_label_that_is_not_legal_keeps_all_others() -> None:
    session = taught()
    page = FakePage(session)
    items = page.find("class", "spam", n=5)
    page.label_all({item: "eggs" if k == 2 else "spam" for k, item in enumerate(items)})
    assert [len(reply["ids"]) for reply in page.rejected] == [1] and page.outbox == {}
    assert len(session.labels) == 12 + 4


def test_what_others_hold_and_what_is_verified_blind_is_left_out() -> None:
    session = taught(explore=0)
    other = FakePage(session).open(10)
    page = FakePage(session)
    believed = page.find("class", "spam", n=500)
    assert believed and not set(believed) & set(other.order)
    running = session.certify(0.2, seed=1)
    assert not set(page.find("class", "spam", n=500)) & set(running.items)
    like = page.find("similar", believed[0], n=500, strategy="similar")
    assert not set(like) & set(running.items)


def test_a_page_says_why_nothing_is_on_it_while_all_of_it_is_verified_blind() -> None:
    session = taught()
    page = FakePage(session).open(3)
    assert page.find("class", "spam")
    session.certify(0.1)
    assert page.find("class", "spam") == []
    assert "verified blind is on no page" in page.found["error"]
    session.certifying.close()
    assert page.find("class", "spam") and page.found["error"] is None


def test_what_was_said_of_many_verifies_nothing() -> None:
    session = taught(explore=0)
    running = session.certify(0.2, seed=1)
    page = FakePage(session)
    first = running.items[0]
    assert page.find("ids", ids=[first], strategy="map") == [first]
    assert page.found["items"][0]["suggestion"] is None
    page.label_all({first: TRUTH[int(first)]})
    assert running.evidence.audited == 0
    assert running.next()[0].id == first  # it comes again, for itself
    page.find("ids", ids=[running.items[1]], strategy="grid")
    assert page.found["items"][0]["suggestion"] is None, "nor is its label told"


def test_what_is_judged_again_is_on_no_page() -> None:
    session = taught()
    session.ask(["3"])
    page = FakePage(session)
    assert page.find("ids", ids=["3", "40"]) == ["40"]
    assert "3" not in page.find("search", "number", strategy="search", n=500)


def test_duplicates_are_one_item_with_a_count() -> None:
    words = np.random.default_rng(3).integers(10**6, size=(40, 6)).astype(str)
    texts = [f"{TRUTH[k]} {TRUTH[k]} {' '.join(words[k])}" for k in range(40)]
    data = [*texts, *texts[:20], *texts[:5]]
    truth = [*TRUTH[:40], *TRUTH[:20], *TRUTH[:5]]
    session = make(data, duplicates="together", features=None, explore=0)
    for k in range(30, 40):
        session.record(k, truth[k])
    session.retrain(wait=True)
    page = FakePage(session).open()
    copies = {item: part["copies"] for item, part in page.items.items()}
    assert {copies[item] for item in copies if int(item) % 40 < 5} <= {3}
    items = [*page.find("class", "spam", n=100), *page.find("class", "ham", n=100)]
    first = [int(item) for item in items if int(item) < 30]
    assert sorted(int(item) for item in items) == sorted(first) == list(range(30))
    by_id = {item["id"]: item["copies"] for item in page.found["items"]}
    assert all(n == (3 if int(k) < 5 else 2 if int(k) < 20 else 1) for k, n in by_id.items())
    # Those that come beside the one that the page has are the same as that one.
    one = next(item for item in items if int(item) < 5)
    assert str(int(one) + 40) not in page.find("class", session.suggestion(one).label, but=[one])  # type: ignore[union-attr]


def test_a_page_with_duplicates_is_taken_back_whole() -> None:
    words = np.random.default_rng(3).integers(10**6, size=(20, 6)).astype(str)
    texts = [" ".join(row) for row in words]
    session = make([*texts, *texts], duplicates="together", features=None, model=False)
    page = FakePage(session)
    # Also where both of a pair are said, as by their ids.
    items = page.find("ids", ids=["0", "20", "1"], strategy="map")
    events = page.label_all(dict.fromkeys(items, "ham"))
    assert sorted(session.labels.index) == [0, 1, 20, 21]
    for event, item in reversed(list(zip(events, items, strict=True))):
        page.retract(event, item)
    assert session.labels.empty and not page.rejected


# ---------------------------------------------------------------- like one, with words, by id


def test_what_is_like_an_item_comes_behind_it_the_nearest_first() -> None:
    session = taught()
    page = FakePage(session)
    items = page.find("similar", "50", n=15, strategy="similar")
    nearest = [item for item in session.similar("50", 200)["item"] if int(item) >= 12]
    assert items == ["50", *nearest[:14]]
    shown = page.found["items"][1]
    assert shown["shown"]["strategy"] == "similar" and shown["suggestion"] is None
    assert not shown["shown"]["visible"] and shown["shown"]["suggestion"] in ("ham", "spam")
    again = page.find("similar", "50", n=15, but=items)
    assert again == nearest[14:29]


def test_what_is_like_an_item_is_asked_for_until_it_is_known() -> None:
    session = taught()
    jobs: list[Any] = []
    session._trainer.pose = lambda job, done, failed, **_: (  # type: ignore[method-assign]
        jobs.append((job, done, failed)) or SimpleNamespace(stopped=False)
    )
    page = FakePage(session)
    assert page.find("similar", "50") == [] and page.found["pending"]
    assert page.find("similar", "50") == [] and len(jobs) == 1
    job, done, _ = jobs.pop()
    done(job())
    assert page.find("similar", "50", n=3)[0] == "50" and not page.found["pending"]
    page.find("similar", "51")
    jobs.pop()[2](MemoryError("too many"))
    page.find("similar", "51")
    assert "too many" in page.found["error"]
    assert page.find("similar", "51") == [] and page.found["pending"], "it is tried again"


def test_words_are_found_in_all_items_in_order() -> None:
    session = taught()
    page = FakePage(session)
    items = page.find("search", "PRIZE 1", n=8, strategy="search")
    assert items == list(session.search("prize 1", 8)["item"])
    assert page.find("search", "number 3", n=1) == ["3"]
    assert page.found["items"][0]["label"] == TRUTH[3], "also what has a label"
    assert page.find("search", "  ") == [] and "give a word" in page.found["error"]


def test_items_by_name_in_their_order_and_no_others() -> None:
    page = FakePage(taught())
    assert page.find("ids", ids=["70", "nope", "3"], strategy="map") == ["70", "3"]
    assert [item["label"] for item in page.found["items"]] == [None, TRUTH[3]]
    page.label_all({"70": "ham"})
    assert page.desk.session.history.iloc[-1]["shown_view"] == "map"


# ---------------------------------------------------------------- what cannot be


def test_a_page_is_bounded_in_number_and_in_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    page = FakePage(taught())
    monkeypatch.setattr(desk_module, "MOST_ITEMS", 7)
    assert len(page.find("class", "spam", n=10**6)) == 7
    assert page.find("class", "spam", n=-3) == []
    monkeypatch.setattr(desk_module, "MOST_BYTES", 100)
    items = page.find("ids", ids=[str(k) for k in range(20)])
    assert 0 < len(items) < 7 and page.found["left"] == 20 - len(items)


def test_large_images_come_small_unless_they_are_to_be_whole() -> None:
    rng = np.random.default_rng(0)
    photos = [Image.fromarray(rng.integers(0, 255, (900, 1200, 3), np.uint8)) for _ in range(12)]
    session = Session(photos, ["ham", "spam"], store=None, inline=True)
    page = FakePage(session).open(3)
    items = page.find("ids", ids=["0", "1", "2", "3"], n=4)
    sizes = [len(page.buffers[item][0]) for item in items]
    assert items == ["0", "1", "2", "3"] and max(sizes) < 150_000
    assert {part["view"]["data"]["side"] for part in page.found["items"]} == {400}
    assert page.find("ids", ids=["0"], n=1, whole=True) == ["0"]
    (part,) = page.found["items"]
    assert "side" not in part["view"]["data"] and part["view"]["data"]["width"] == 1200
    assert len(page.buffers["0"][0]) > 3 * max(sizes)


def test_errors_say_what_to_do() -> None:
    page = FakePage(make())
    assert page.find("class", "spam") == []
    assert "no model yet" in page.found["error"] and "label items" in page.found["error"]
    bare = FakePage(make(features=None, model=False))
    bare.find("similar", "3")
    assert "features" in bare.found["error"]
    bare.find("similar", "gone")
    assert "gone" in bare.found["error"]
    several = Session(TEXTS, MultiLabel(["a", "b"]), store=None, inline=True)
    other = FakePage(several)
    other.find("class", "a")
    assert "multilabel" in other.found["error"]
