"""Certification in a session: what is drawn, asked, counted, written and taken back."""

from __future__ import annotations

import json
from dataclasses import replace
from html import escape
from typing import Any

import numpy as np
import pytest

from nblabel import _certifying
from nblabel.errors import EventError, NotFittedError, OptionError
from nblabel.events import TRAP, VERIFY, LabelEvent, Shown, new_id, now
from nblabel.session import Session
from nblabel.testing import FakePage

N = 400
RNG = np.random.default_rng(3)
SIDE = RNG.integers(2, size=N)
POINTS = np.column_stack([4.0 * SIDE - 2 + 0.3 * RNG.normal(size=N), RNG.normal(size=N)])
TRUTH = [("ham", "spam")[side] for side in SIDE]
OTHER = {"ham": "spam", "spam": "ham"}
#: Some that no model can know.
for k in range(100, 400, 60):
    TRUTH[k] = OTHER[TRUTH[k]]


def make(n: int = N, **options: Any) -> Session:
    options = {"store": None, "annotator": "ana", "inline": True, "blind": 0, "explore": 0.0,
               "features": POINTS[:n], "model": None, **options}  # fmt: skip
    return Session([f"item {k}" for k in range(n)], ["ham", "spam"], **options)


def taught(**options: Any) -> Session:
    session = make(**options)
    for k in range(12):
        session.record(k, TRUTH[k])
    session.retrain(wait=True)
    return session


def verify(session: Session, most: int = N) -> int:
    """Answer what is to be verified with the truth; return how many."""
    done = 0
    running = session.certifying
    while running.is_running and done < most:
        (asked,) = running.next()
        session.record(asked, TRUTH[asked.key])
        done += 1
    return done


# ---------------------------------------------------------------- from the first to the last


def test_it_ends_by_itself_and_labels_the_rest():
    session = taught()
    before = session.certifiable(0.1)
    assert before["machine"] > 250 and before["looks"] == before["audits"] + before["by_hand"]
    running = session.certify(0.1, seed=5)
    assert running.is_running and running.bound == pytest.approx(388 / 400, abs=0.1)
    n_humans = len(session.labels)
    seen = verify(session)
    made = running.certificate
    assert 15 < seen < 120 and made is not None
    assert (made.audited, made.candidates, made.terms.n_items) == (seen, len(running.items), N)
    assert made.bound <= 40 and running.bound == made.bound / N <= running.goal
    labels = session.labels
    by = labels["annotator"].value_counts()
    assert by["ana"] == n_humans + seen and by[made.annotator] == made.machine
    machine = labels[labels["annotator"] == made.annotator]
    assert (machine["strategy"] == "certificate").all() and not machine["audit"].any()
    wrong = sum(label != TRUTH[k] for k, label in machine["label"].items())
    assert wrong <= made.bound
    assert session.status()["left"] == N - len(labels)
    assert session.frame()["annotator"].eq(made.annotator).sum() == made.machine
    (row,) = session.certificates.to_dict("records")
    assert row["machine"] == made.machine and row["explanation"] == made.explanation
    assert row["began"] < row["ended"] and not row["revoked"] and row["not_covered"] == 0


def test_the_draw_is_written_before_the_first_answer():
    session = taught()
    running = session.certify(0.1, seed=5)
    begun = session.history.iloc[-1]
    assert (begun["kind"], begun["item"], begun["retracted"]) == ("certify", "*", False)
    said = begun["value"]
    assert said["step"] == "begin" and said["items"] == running.items
    assert said["terms"]["max_error"] == 0.1 and said["attempt"] == running.id
    seed = said["terms"]["seed"]
    n = seed % 2**32
    assert n == len(running.items)
    order = np.random.default_rng(seed).permutation(n)
    sorted_items = sorted(running.items, key=session.pool.position)
    assert running.items == [sorted_items[k] for k in order]
    # What the machine says stands there too, as the model of now says it.
    for item, code in list(zip(said["items"], said["codes"], strict=True))[:20]:
        assert said["values"][code] == session.suggestion(item).label
    assert session.certify(0.1).items != []  # the same, not another one
    assert (session.history["kind"] == "certify").sum() == 1


def test_seeds_are_drawn_anew():
    first, second = taught().certify(0.1), taught().certify(0.1)
    assert first.terms.seed != second.terms.seed or first.items == second.items


def test_what_is_asked_knows_how_it_came_to_be_asked():
    session = taught()
    running = session.certify(0.1)
    first, second = running.next(2)
    assert [first.id, second.id] == running.items[:2] and running.next(2)[0].id == first.id
    assert (first.shown.strategy, first.shown.draw, first.shown.seed) == (
        VERIFY, 0, running.terms.seed,
    )  # fmt: skip
    assert first.shown.probability == 1 / len(running.items) and not first.shown.visible
    event = session.record(first, TRUTH[first.key])
    assert event.shown.suggestion in ("ham", "spam") and not event.shown.audit
    assert running.next()[0].id == second.id
    assert running.evidence.audited == 1


def test_answers_by_any_way_count():
    session = taught()
    running = session.certify(0.1)
    third = running.items[2]
    session.record(third, TRUTH[session.pool.position(third)])  # out of turn: counts in its turn
    assert running.evidence.audited == 0
    for item in running.items[:2]:
        place = session.pool.position(item)
        event = LabelEvent(new_id(), "label", item, "ana", TRUTH[place], now())
        session.append([event])  # as a page does it
    assert running.evidence.audited == 3


def test_errors_are_corrected_and_counted():
    session = taught()
    running = session.certify(0.1, seed=8)
    assert running._attempt.ranks[0] < 300  # of those it is sure of, an error costs looks
    first = running.next()[0]
    clean = running.left
    session.record(first, OTHER[first.suggestion.label])
    assert running.evidence.errors == 1 and running.left > clean
    session.record(first.id, first.suggestion.label)  # thought better of it
    assert running.evidence.errors == 0
    session.undo()
    session.undo()
    assert running.evidence.audited == 0 and running.next()[0].id == first.id
    session.skip(first.id)
    assert running.evidence.errors == 1  # put away is not confirmed
    assert "At the rate so far (1 of 1)" in running.advice


def test_undo_in_the_middle_stops_there():
    session = taught()
    running = session.certify(0.1)
    asked = running.next(6)
    events = [session.record(one, TRUTH[one.key]) for one in asked]
    target = events[2]
    session.append([LabelEvent(new_id(), "retract", target.item, "ana", target.id, now())])
    assert running.evidence.audited == 2
    assert running.next()[0].id == asked[2].id
    session.record(asked[2], TRUTH[asked[2].key])
    assert running.evidence.audited == 6


def test_what_was_answered_with_the_suggestion_in_sight_is_asked_again():
    session = taught()
    running = session.certify(0.1)
    first = running.next()[0]
    seen = Shown("margin", suggestion="ham", visible=True)
    session.append([LabelEvent(new_id(), "label", first.id, "ana", "ham", now(), shown=seen)])
    assert running.evidence.audited == 0 and running.next()[0].id == first.id
    session.record(first, TRUTH[first.key])
    assert running.evidence.audited == 1


def test_its_items_are_blind_wherever_they_are_asked():
    session = taught()
    assert session.asked("50").shown.visible
    running = session.certify(0.1)
    assert "50" in running.items and not session.asked("50").shown.visible
    running.close()
    assert session.asked("50").shown.visible


def test_what_the_model_cannot_know_is_left_to_people():
    rng = np.random.default_rng(5)
    points = np.where(np.arange(600) % 2, 2.0, -2.0) + 0.3 * rng.normal(size=600)
    points[450:] = rng.normal(size=150) / 4  # between the two, and anything
    truth = [("ham", "spam")[int(side)] for side in rng.integers(2, size=600)]
    truth[:450] = [("ham", "spam")[int(x > 0)] for x in points[:450]]
    session = Session([f"item {k}" for k in range(600)], ["ham", "spam"], store=None, inline=True,
                      explore=0.0, features=np.column_stack([points, np.ones(600)]))  # fmt: skip
    for k in [*range(20), *range(450, 460)]:
        session.record(k, truth[k])
    session.retrain(wait=True)
    running = session.certify(0.05, seed=3)
    assert len(running.items) == 570  # all that are open
    while running.is_running:
        (asked,) = running.next()
        session.record(asked, truth[asked.key])
    made = running.certificate
    assert 30 < made.by_hand < 150 and made.machine > 250
    assert made.machine + made.audited + made.by_hand == made.candidates == 570
    by = session.labels["annotator"]
    machine = [int(k) for k in by[by == made.annotator].index]
    assert len(machine) == made.machine == running.status["machine"]
    assert sum(k >= 450 for k in machine) < 30, "the surest ones"
    assert sum(session.labels.loc[k, "label"] != truth[k] for k in machine) <= made.bound <= 30
    assert session.status()["left"] == made.by_hand
    assert session.certificates["by_hand"].tolist() == [made.by_hand]
    asked = session.next()[0]
    session.record(asked, truth[asked.key])  # and goes on with those
    assert session.status()["left"] == made.by_hand - 1


def test_an_attempt_of_one_set_goes_on_as_it_began():
    """As the log of an earlier nblabel has it: without ranks."""
    session = taught()
    said = _certifying.begin(session, session._labels, 0.1, 0.95, "pool", blind=True, traps=0.2,
                             train=False, seed=5)  # fmt: skip
    del said["ranks"]
    session._tell_certify(said.pop("attempt"), said.pop("step"), **said)
    verify(session)
    made = session.certifying.certificate
    assert made.by_hand == 0 and made.machine == made.candidates - made.audited > 200
    assert "cut" not in session.history.iloc[-1]["value"]


def test_a_plan_learns_from_the_answers_how_wrong_the_belief_is():
    session = taught()
    assert 0.8 < _certifying.misjudged(session, session._labels) <= 1.0
    for asked in session.next(10):
        session.record(asked, OTHER[asked.suggestion.label])
    assert _certifying.misjudged(session, session._labels) > 3


# ---------------------------------------------------------------- another kernel


def test_it_goes_on_in_another_kernel(tmp_path):
    path = tmp_path / "labels.sqlite"
    session = taught(store=path)
    running = session.certify(0.1, seed=5)
    verify(session, 7)
    state, items = running.state, running.items
    session.close()
    session = make(store=path)  # its model has not even learned the same
    assert session.certifying.state == state and session.certifying.items == items
    assert session.certify(0.1) is session.certifying
    verify(session)
    made, labels = session.certificates, session.labels
    assert session.certifying.state["state"] == "certified" and len(made) == 1
    session.close()
    session = make(store=path)
    assert session.certificates.equals(made) and session.labels.equals(labels)
    assert not session.certifying.is_running and session.certifying.next() == []
    session.close()


def test_a_kernel_that_died_loses_nothing(tmp_path):
    path = tmp_path / "labels.sqlite"
    dead = taught(store=path)  # never closed
    dead.certify(0.1, seed=5)
    verify(dead, 9)
    session = make(store=path)
    assert session.certifying.evidence.audited == 9
    verify(session)
    assert len(session.certificates) == 1
    session.close()
    dead.close()


def test_two_kernels_make_one_certificate(tmp_path):
    one = taught(store=tmp_path / "labels.sqlite")
    one.certify(0.1, seed=5)
    two = make(store=tmp_path / "labels.sqlite", annotator="bob")
    assert two.certifying.id == one.certifying.id
    while one.certifying.is_running:
        for session in (one, two):
            session.refresh()
            verify(session, 1)
    two.refresh()
    assert one.certificates.equals(two.certificates) and len(one.certificates) == 1
    assert one.labels.equals(two.labels)
    two.revoke(one.certificates.index[0])
    one.refresh()
    assert one.certificates["revoked"].tolist() == [True]
    assert set(one.labels["annotator"]) == {"ana", "bob"}
    assert one.certificates.equals(two.certificates) and one.warning == ""
    one.close(), two.close()


def test_changed_data_closes_it(tmp_path):
    path = tmp_path / "labels.sqlite"
    session = taught(store=path)
    session.certify(0.1)
    session.close()
    data = [f"item {k}" for k in range(N)]
    data[300] = "something else"
    with pytest.warns(UserWarning, match="cannot go on: some of its items have changed"):
        session = Session(data, ["ham", "spam"], store=path, annotator="ana", inline=True,
                          features=POINTS)  # fmt: skip
    assert session.certifying.state["state"] == "closed" and "cannot go on" in session.warning
    session.close()


# ---------------------------------------------------------------- after


def test_revoking_takes_back_all_labels_at_once():
    session = taught()
    session.certify(0.1)
    verify(session)
    people = session.labels[session.labels["annotator"] == "ana"]
    n_events, made = session.n_events, session.certifying.certificate
    session.revoke(made)
    assert session.n_events == n_events + 1
    assert session.labels.equals(people) and session.status()["left"] == N - len(people)
    assert session.certificates["revoked"].tolist() == [True]
    assert session.certificates["explanation"].iloc[0].startswith("Revoked: ")
    with pytest.raises(OptionError, match=r"no certificate .* to revoke; standing are none"):
        session.revoke(made.id)
    asked = session.next()[0]  # they are asked again
    assert session.labels.index.isin([asked.key]).sum() == 0
    session.record(asked, TRUTH[asked.key])


def test_a_report_tells_of_it_as_long_as_it_stands():
    session = taught()
    session.certify(0.1)
    verify(session)
    made = session.certifying.certificate
    report = session.report()
    assert f"by 1 person and, {made.machine} of them, by machine with nblabel" in report.methods
    (told,) = report.to_dict()["certificates"]
    assert told["id"] == made.id and told["machine"] == made.machine and not told["revoked"]
    assert (
        report.methods.endswith(made.explanation)
        and escape(made.explanation) in report._repr_html_()
    )
    session.revoke(made)
    report = session.report()
    assert report.to_dict()["certificates"][0]["revoked"]
    assert made.explanation not in report.methods and "Revoked: " in report._repr_html_()


def test_people_stand_above_the_machine():
    session = taught()
    session.certify(0.1)
    verify(session)
    who = session.certifying.certificate.annotator
    item = session.labels.index[session.labels["annotator"] == who][0]
    label = session.labels.loc[item, "label"]
    session.record(item, OTHER[label])
    assert session.labels.loc[item, ["label", "annotator"]].tolist() == [OTHER[label], "ana"]
    session.undo()
    assert session.labels.loc[item, ["label", "annotator"]].tolist() == [label, who]
    session.skip(item)
    assert item not in session.labels.index


def test_what_was_verified_and_undone_is_open_not_the_machines():
    session = taught()
    session.certify(0.1)
    verify(session)
    last = session.undo()
    assert session.pool.index[session.pool.position(last.item)] not in session.labels.index
    assert not session.certifying.is_running  # what was certified stays so


@pytest.mark.parametrize("train", [False, True])
def test_the_model_learns_from_certified_labels_only_if_asked(train):
    session = taught()
    session.certify(0.1, train=train)
    verify(session)
    session.retrain(wait=True)
    made = session.certifying.certificate
    people = len(session.labels) - made.machine
    assert session.status()["learned"] == (len(session.labels) if train else people)
    assert len(session._labels.labeled()) == people
    assert len(session._labels.votes()) == people
    session.revoke(made.id)
    session.retrain(wait=True)
    assert session.status()["learned"] == people


def test_the_model_may_learn_meanwhile():
    session = taught(batch=5)
    running = session.certify(0.1, seed=5)
    values = [running._attempt.value(k) for k in range(len(running.items))]
    version = session.status()["version"]
    verify(session)
    assert session.status()["version"] > version
    made = running.certificate
    assert made.terms.model_version == version
    for k in range(made.audited, made.candidates, 17):
        assert session.labels.loc[int(running.items[k]), "label"] == values[k]


def test_new_items_are_not_covered():
    session = taught(n=300)
    session.certify(0.1)
    verify(session)
    with pytest.warns(UserWarning, match="100 items are newer than certificate"):
        session.add([f"item {k}" for k in range(300, 400)], features=POINTS[300:])
    assert "certify() again" in session.warning
    assert session.certificates["not_covered"].tolist() == [100]
    assert not session.labels.index.isin(range(300, 400)).any()
    session.retrain(wait=True)
    spent = session.certificates["bound"].iloc[0]
    again = session.certify(0.1)
    assert again.terms.budget == 40 - spent  # the first one counts for the whole pool
    assert set(again.items) <= {str(k) for k in range(400)} and again.terms.n_items == 400


def test_renamed_labels_and_moved_items_go_with_it(tmp_path):
    path = tmp_path / "labels.sqlite"
    session = taught(store=path)
    session.certify(0.1)
    verify(session)
    machine = session.labels["annotator"].str.startswith("auto:")
    spam = (session.labels["label"] == "spam").sum()
    session.close()
    data = [f"item {k}" for k in range(N)][::-1]  # counted anew from the other end
    session = Session(data, ["ham", "junk"], store=path, annotator="ana", inline=True,
                      features=POINTS[::-1], relabel={"spam": "junk"})  # fmt: skip
    labels = session.labels
    assert (labels["label"] == "junk").sum() == spam
    assert labels["annotator"].str.startswith("auto:").sum() == machine.sum()
    # Each still has the label that its content had.
    hits = [label == {"spam": "junk"}.get(TRUTH[N - 1 - k], TRUTH[N - 1 - k])
            for k, label in labels["label"].items()]  # fmt: skip
    assert np.mean(hits) > 0.95
    session.close()


def test_it_goes_on_with_items_counted_anew(tmp_path):
    path = tmp_path / "labels.sqlite"
    session = taught(store=path)
    session.certify(0.1, seed=5)
    verify(session, 5)
    session.close()
    data = [f"item {k}" for k in range(N)]
    moved = [N - 1, *range(N - 1)]  # the last one is the first now
    with pytest.warns(UserWarning, match="cannot go on"):
        session = Session([data[k] for k in moved], ["ham", "spam"], store=path, annotator="ana",
                          inline=True, features=POINTS[moved])  # fmt: skip
    # Only what was said of them tells items apart: those that wait have changed under their ids.
    assert not session.certifying.is_running and len(session.labels) == 17
    session.close()


def test_exports_carry_it(tmp_path):
    session = taught()
    session.certify(0.1)
    verify(session)
    made = session.certifying.certificate
    session.export(tmp_path / "labels.jsonl")
    rows = [json.loads(line) for line in (tmp_path / "labels.jsonl").read_text().splitlines()]
    told = [row["certificate"] for row in rows if row["annotator"] == made.annotator]
    assert len(told) == made.machine and all(one == told[0] for one in told)
    assert told[0] == {"id": made.id, "max_error": 0.1, "confidence": 0.95, "form": "pool"}
    assert not any("certificate" in row for row in rows if row["annotator"] == "ana")
    other = make()
    assert other.import_labels(tmp_path / "labels.jsonl") == len(session.labels)
    assert len(other._labels.labeled()) == len(session.labels) - made.machine


# ---------------------------------------------------------------- closing, and more attempts


def test_attempts_spend_confidence_whether_they_end_well_or_not():
    session = taught()
    first = session.certify(0.1)
    verify(session, 5)
    first.close()
    assert not first.is_running and first.certificate is None and first.next() == []
    assert "Closed without a certificate" in first.advice
    second = session.certify(0.1)
    assert second.id != first.id and not set(first.items[:5]) & set(second.items)
    verify(session)
    made = second.certificate
    assert (made.attempt, made.delta) == (2, pytest.approx(0.005 * 6 / np.pi**2))
    assert made.audited > 40


def test_failed_attempts_make_the_plan_careful():
    session = taught()
    before = session.certifiable(0.1)["audits"]
    running = session.certify(0.1)
    for asked in running.next(10):
        session.record(asked, OTHER[asked.suggestion.label])
    assert running.evidence.errors == 10 and "label what it is least sure of" in running.advice
    session.cancel()
    running.close()
    after = session.certifiable(0.1)
    assert after["by_hand"] + after["audits"] > before


def test_the_stricter_form():
    session = taught()
    running = session.certify(0.1, form="machine", seed=5)
    verify(session)
    made = running.certificate
    assert made.bound <= 0.1 * made.machine and running.bound <= 0.1
    assert f"of the {made.machine} labels by the machine at most 10 %" in made.explanation


def test_state_is_json():
    session = taught()
    running = session.certify(0.1)
    verify(session, 3)
    state = running.state
    assert json.loads(json.dumps(state)) == state
    assert state["state"] == "verifying" and state["audited"] == 3 and state["blind"]
    assert len(state["curve"]) == 4 and state["curve"][-1] == [3, state["bound"]]
    assert state["left"] > 0 and state["goal"] == 0.1 and state["certificate"] is None
    verify(session)
    state = running.state
    assert json.loads(json.dumps(state)) == state and state["left"] is None
    assert state["certificate"]["id"] == running.id and state["bound"] <= state["goal"]
    assert repr(running).startswith("Certification(certified: 95 % confidence")


# ---------------------------------------------------------------- suggestions and traps


def answer_all(session: Session, attentive: bool) -> list[str]:
    """Verify with suggestions in sight; return the strategies of what was asked."""
    asked_by = []
    running = session.certifying
    while running.is_running and len(asked_by) < 250:
        (asked,) = running.next()
        asked_by.append(asked.shown.strategy)
        assert asked.shown.visible and asked.reason == "drawn at random to verify"
        session.record(asked, TRUTH[asked.key] if attentive else asked.suggestion.label)
    return asked_by


def test_traps_are_no_labels():
    session = taught()
    running = session.certify(0.1, blind=False, traps=0.5, seed=5)
    before = session.labels.loc[:11].copy()
    asked_by = answer_all(session, attentive=True)
    assert running.certificate is not None
    n_traps = asked_by.count(TRAP)
    assert 8 <= n_traps <= 12  # no item twice, and twelve are known
    told = running.certificate.vigilance
    assert (told["traps"], told["missed"]) == (n_traps, 0) and 0 < told["miss_rate"] < 1
    assert f"0 of {n_traps} traps missed" in running.certificate.explanation
    assert session.labels.loc[:11].equals(before)
    kinds = session.history["kind"].value_counts()
    assert kinds["certify"] == 2 + n_traps
    trap = session.history[session.history["kind"] == "certify"].iloc[1]["value"]
    assert trap["step"] == "trap" and trap["suggestion"] != trap["answer"] and not trap["missed"]
    assert trap["answer"] == TRUTH[int(trap["item"])]


def test_who_misses_traps_gets_no_certificate():
    session = taught()
    running = session.certify(0.1, blind=False, traps=0.5, seed=5)
    answer_all(session, attentive=False)
    assert running.is_running and running.evidence.vigilance["miss_rate"] > 0.9
    assert "may be missed" in running.advice
    assert set(TRUTH) == {"ham", "spam"} and session.labels.loc[:11, "label"].tolist() == TRUTH[:12]


def test_a_trap_that_is_answered_too_late_changes_nothing():
    session = taught()
    running = session.certify(0.1, blind=False, traps=1.0)
    traps = [one for one in running.next(8) if one.shown.strategy == TRAP]
    running.close()
    session.record(traps[0], traps[0].suggestion.label)
    assert session.history["kind"].iloc[-1] == "certify"
    again = session.certify(0.1, blind=False, traps=1.0)
    session.record(traps[1], traps[1].suggestion.label)  # of the first attempt, not of this one
    assert again.state["vigilance"]["traps"] == 0
    assert session.labels.loc[:11, "label"].tolist() == TRUTH[:12]
    with pytest.raises(EventError, match="trap of no certification"):
        taught().record(traps[0], "ham")


def test_a_trap_that_is_skipped_was_not_missed():
    session = taught()
    running = session.certify(0.1, blind=False, traps=1.0)
    trap = next(one for one in running.next(4) if one.shown.strategy == TRAP)
    session.skip(trap)
    assert (running.state["vigilance"]["traps"], running.state["vigilance"]["missed"]) == (1, 0)
    assert not session.skipped and session.labels.loc[trap.key, "label"] == TRUTH[trap.key]


def test_what_is_left_counts_on_the_traps_that_come():
    """It is how many items without an error, and without a trap missed, it takes: exactly."""
    session = taught()
    running = session.certify(0.1, blind=False, traps=0.5, seed=5)
    left, seen = running.left, 0
    while running.is_running:
        (asked,) = running.next()
        right = TRUTH[asked.key] if asked.shown.strategy == TRAP else asked.suggestion.label
        session.record(asked, right)
        seen += asked.shown.strategy != TRAP
    assert left == seen < len(running.items)


def test_a_page_to_verify_has_no_more_than_it_takes():
    session = taught()
    running = session.certify(0.1, blind=False, traps=0.5, seed=5)
    page, left = running.page(20, [])
    asked = [one.shown.strategy for one in page]
    assert len(page) == 20 and TRAP in asked
    assert asked.count(VERIFY) + left == running.left
    held = [one.id for one in page]
    more, rest = running.page(500, held)
    assert not set(held) & {one.id for one in more} and rest == 0
    verified = [one.id for one in page + more if one.shown.strategy == VERIFY]
    assert verified == running.items[: running.left]  # in the order of the draw
    for one in page:  # all of them at once, as a page says it
        session.record(one, TRUTH[one.key])
    assert running.left < left + 3
    assert running.page(5, [one.id for one in more])[0] == []


# ---------------------------------------------------------------- what is refused


def test_errors_say_what_to_do():
    with pytest.raises(NotFittedError, match="no model yet: label items of at least two classes"):
        make().certify()
    session = taught()
    for wrong, said in (
        ({"max_error": 1.5}, "max_error= is a share between 0 and 1, got 1.5"),
        ({"confidence": 0}, "confidence= is a share"),
        ({"form": "set"}, "form= is 'pool' or 'machine', got 'set'"),
        ({"max_error": 0.1, "blind": False, "traps": 0}, "traps= is the number of traps"),
        ({"max_error": 0.1, "seed": "x"}, "seed= is a whole number from 0, got 'x'"),
    ):
        with pytest.raises(OptionError, match=said):
            session.certify(**wrong)
    assert session.certifying is None and "certify" not in set(session.history["kind"])
    session.certify(0.1)
    with pytest.raises(OptionError, match=r"is running, on other terms: 0.1 errors .*close\(\)"):
        session.certify(0.05)
    with pytest.raises(OptionError, match="no certificate 'x' to revoke; standing are none"):
        session.revoke("auto:x")


def test_pages_cannot_certify():
    session = taught()
    said = {"step": "revoke", "attempt": "x"}
    with pytest.raises(EventError, match="written by the session itself"):
        session.append([LabelEvent("e", "certify", "*", "ana", said, now())])
    with pytest.raises(EventError, match="names its step and its attempt"):
        LabelEvent("e", "certify", "*", "ana", {"step": "win", "attempt": "x"}, now())


def test_a_later_certificate_is_no_surer_than_an_earlier_one():
    session = taught(n=300)
    session.certify(0.1, confidence=0.8)
    verify(session)
    with pytest.warns(UserWarning):
        session.add([f"item {k}" for k in range(300, 400)], features=POINTS[300:])
    session.retrain(wait=True)
    with pytest.raises(OptionError, match=r"stands with confidence 0.8, so no later one"):
        session.certify(0.1, confidence=0.95)


def test_a_model_that_knows_nothing_is_told_to_learn():
    session = make(features=RNG.normal(size=(N, 2)))
    for k in range(12):
        session.record(k, TRUTH[k])
    session.retrain(wait=True)
    with pytest.raises(OptionError, match="the model needs labels"):
        session.certify(0.01)
    assert "the model needs labels" in session.certifiable(0.01)["advice"]


def test_damaged_steps_of_the_log_are_passed_over():
    session = taught()
    session.certify(0.1, seed=5)
    event = next(e for e in session._labels.events if e.kind == "certify")
    bad = [
        replace(event, id="b1", value={**event.value, "attempt": "new", "items": "?"}),
        replace(event, id="b2", value={"step": "certify", "attempt": "nobody"}),
        replace(event, id="b3", value={"step": "certify", "attempt": event.value["attempt"]}),
    ]
    session._log.append(bad)
    with pytest.warns(UserWarning, match="An event of the log was passed over"):
        session.refresh()
    assert session.certifying.is_running
    verify(session)
    assert session.certifying.certificate is not None


# ---------------------------------------------------------------- on a page


def test_a_page_is_asked_what_was_drawn_first_and_blind():
    session = taught(explore=0.2)
    page = FakePage(session).open()
    assert page.status["certify"] is None
    rank, running = page.status["rank"], session.certify(0.1, seed=5)
    page.want(20, keep=[])
    told = page.status["certify"]
    assert page.status["rank"] > rank and page.status["doing"] == "verifying at random"
    assert (told["state"], told["audited"], told["left"]) == ("verifying", 0, running.left)
    assert page.order == running.items[:20]
    for item in page.order:
        part = page.items[item]
        assert part["reason"] == "drawn at random to verify"
        assert part["label"] is None and not part["shown"]["visible"]
    while page.status["certify"]["state"] == "verifying":
        if not page.order:
            page.want(20)
        page.label(page.order[0], TRUTH[int(page.order[0])])
    told = page.status["certify"]
    auto = session.labels["annotator"].str.startswith("auto:").sum()
    assert told["machine"] == auto > 0 and told["advice"] == running.certificate.explanation
    assert len(told["curve"]) <= 60 and told["bound"] <= told["goal"]
    page.want(20)
    assert {page.items[item]["shown"]["strategy"] for item in page.order[2:]} != {"certify"}
    session.revoke(running.id)
    page.want()
    assert page.status["certify"] is None


def test_what_was_answered_with_the_suggestion_in_sight_is_asked_again_on_a_page():
    session = taught()
    page = FakePage(session).open()
    running = session.certify(0.1, seed=5)
    item = running.items[0]
    page.say("label", item, "ham", shown={**SEEN, "suggestion": "ham"})
    assert page.status["certify"]["audited"] == 0
    page.want(5, keep=[])
    assert page.order[0] == item and page.items[item]["label"] is None
    assert page.items[item]["shown"]["visible"] is False
    page.label(item, TRUTH[int(item)])
    assert page.status["certify"]["audited"] == 1


def test_two_pages_verify_different_items():
    session = taught()
    running = session.certify(0.1, seed=5)
    one, two = FakePage(session).open(6), FakePage(session).open(6)
    assert one.order + two.order == running.items[:12]


def test_a_page_gives_up_once():
    session = taught()
    page = FakePage(session).open()
    running = session.certify(0.1)
    page.want(close="another")
    assert running.is_running
    page.want(close=running.id)
    page.want(20, keep=[], close=running.id)
    assert not running.is_running and page.status["certify"] is None
    assert {page.items[item]["shown"]["strategy"] for item in page.order}.isdisjoint({VERIFY})


def test_a_page_verifies_many_at_once_with_traps_among_them():
    session = taught()
    page = FakePage(session).open()
    before = session.labels.loc[:11].copy()
    assert page.find("certify") == []
    running = session.certify(0.1, blind=False, traps=0.5, seed=5)
    n_traps, pages, order = 0, 0, []
    while running.is_running:
        found = page.find("certify", n=20)
        assert found and page.found["error"] is None and pages < 20
        parts = page.found["items"]
        # Nothing tells a trap from the others but what is recorded.
        assert {(part["label"], part["reason"]) for part in parts} == {
            (None, "drawn at random to verify")
        }
        assert all(part["suggestion"]["label"] == part["shown"]["suggestion"] for part in parts)
        assert all(part["suggestion"]["confidence"] is None for part in parts)
        traps = [part["id"] for part in parts if part["shown"]["strategy"] == TRAP]
        assert all(p["suggestion"]["label"] != TRUTH[int(p["id"])] for p in parts
                   if p["id"] in traps)  # fmt: skip
        order += [item for item in found if item not in traps]
        page.label_all({item: TRUTH[int(item)] for item in found})
        n_traps, pages = n_traps + len(traps), pages + 1
    assert order == running.items[: len(order)]
    assert running.certificate.vigilance["traps"] == n_traps > 5
    assert page.outbox == {} and page.rejected == []
    assert len(page.trail) == 12 + len(order) and session.labels.loc[:11].equals(before)
    said = session.history[
        session.history["item"].isin(order) & (session.history["kind"] == "label")
    ]
    assert set(said["shown_strategy"]) == {VERIFY} and set(said["shown_view"]) == {"grid"}
    assert page.find("certify") == []


def test_what_is_verified_is_no_draw_from_the_pool_and_no_choice_of_the_strategy():
    """The numbers of the report: what a certificate asks is the surest, shown or hidden by it."""
    session = taught(explore=0.2)
    page = FakePage(session).open()
    before = session._facts().arms
    running = session.certify(0.1, blind=False, traps=0.5, seed=5)
    while running.is_running:
        found = page.find("certify", n=30)
        page.label_all({item: TRUTH[int(item)] for item in found})
    facts = session._facts()
    verified = np.isin(facts.known.positions, [int(item) for item in running.items])
    assert verified.sum() >= running.certificate.audited > 20
    assert not (facts.known.drawn | facts.known.picked)[verified].any()
    assert facts.arms == before


def test_draws_after_a_certificate_are_none_of_the_whole_pool():
    points = POINTS.copy()
    points[300:] = 0.0  # of these the machine knows nothing
    session = taught(features=points, explore=1.0)
    asked = session.next(5)
    for one in asked:
        session.record(one, TRUTH[one.key])
    drawn = session._facts().known.drawn
    assert drawn.sum() == session._measured().audits == 5
    session.certify(0.02, seed=5)
    verify(session)
    assert session.certifying.certificate is not None
    # Nothing that is measured is about what is left now: that was the hard part.
    assert session._measured().audits == 0 and session.status()["audits"] == 0
    left = session.next(5)
    assert [one.shown.audit for one in left] == [True] * 5
    for one in left:
        session.record(one, TRUTH[one.key])
    assert session._facts().known.drawn.sum() == session._measured().audits == 5
    session.revoke(session.certifying.id)
    assert session._measured().audits == 0


def test_a_page_to_verify_is_for_what_is_verified_with_suggestions():
    session = taught()
    page = FakePage(session).open()
    session.certify(0.1)
    assert page.find("certify") == [] and "verified blind, one by one" in page.found["error"]


def test_a_trap_that_waited_in_a_page_is_no_label_in_another_kernel(tmp_path):
    session = taught(store=tmp_path / "labels.sqlite")
    session.certify(0.1, blind=False, traps=1.0, seed=5)
    page = FakePage(session).open()
    found = page.find("certify", n=12)
    trap = next(p for p in page.found["items"] if p["shown"]["strategy"] == TRAP)
    page.line = "down"
    page.label_all({item: TRUTH[int(item)] for item in found if item != trap["id"]})
    page.say("label", trap["id"], trap["shown"]["suggestion"], shown={
        **trap["shown"], "position": 3})  # fmt: skip
    session.certifying.close()
    session.close()
    again = make(store=tmp_path / "labels.sqlite")
    page = page.reload(again)
    assert page.outbox == {} and page.rejected == []
    assert again.labels.loc[int(trap["id"]), "label"] == TRUTH[int(trap["id"])]
    again.close()


def test_a_trap_belongs_to_the_newest_attempt_with_its_seed():
    session = taught()
    session.certify(0.1, blind=False, traps=1.0, seed=5).close()
    running = session.certify(0.1, blind=False, traps=1.0, seed=5)
    trap = next(one for one in running.next(4) if one.shown.strategy == TRAP)
    session.record(trap, TRUTH[trap.key])
    assert running.state["vigilance"]["traps"] == 1


def test_traps_are_made_of_what_people_have_said():
    session = taught()
    session.certify(0.1, seed=5, train=True)
    verify(session)
    machine = set(session.labels.index[session.labels["annotator"].str.startswith("auto:")])
    assert len(machine) > 100
    session.add([f"item {N + k}" for k in range(400)], features=POINTS)
    session.retrain(wait=True)
    running = session.certify(0.15, blind=False, traps=1.0)
    traps = [one.key for one in running.next(80) if one.shown.strategy == TRAP]
    assert traps and not (session.labels.loc[traps, "annotator"].str.startswith("auto:")).any()


def test_a_trap_that_was_missed_under_an_older_name_was_missed(tmp_path):
    session = taught(store=tmp_path / "labels.sqlite")
    session.certify(0.1, blind=False, traps=1.0, seed=5)
    page = FakePage(session).open()
    page.find("certify", n=12)
    page.line = "down"
    page.label_all({part["id"]: part["shown"]["suggestion"] for part in page.found["items"]})
    session.close()
    again = Session(
        [f"item {k}" for k in range(N)], ["H", "S"], store=tmp_path / "labels.sqlite",
        annotator="ana", inline=True, features=POINTS, relabel={"ham": "H", "spam": "S"},
    )  # fmt: skip
    page.reload(again)
    told = again.certifying.state["vigilance"]
    assert told["traps"] == told["missed"] > 2
    again.close()


def test_copies_verify_as_what_they_are_copies_of_does():
    truth, points = TRUTH[:200] * 2, np.concatenate([POINTS[:200]] * 2)
    texts = [f"item {k % 200} with words of its own {k % 200}" for k in range(400)]
    session = Session(
        texts, ["ham", "spam"], store=None, inline=True, blind=0, explore=0.0, features=points,
        duplicates="together", annotator="ana",
    )  # fmt: skip
    for k in range(12):
        session.record(k, truth[k])
    session.retrain(wait=True)
    page = FakePage(session).open()
    running = session.certify(0.1, blind=False, traps=0.5, seed=5)
    found = page.find("certify", n=60)
    verified = [p["id"] for p in page.found["items"] if p["shown"]["strategy"] == VERIFY]
    assert len({int(item) % 200 for item in verified}) == len(verified)  # one tile for all copies
    wrong = {item: OTHER[truth[int(item)]] for item in verified[:1]}
    page.label_all({item: wrong.get(item, truth[int(item)]) for item in found})
    twin = str((int(verified[0]) + 200) % 400)
    assert session._labels.label(twin) == wrong[verified[0]]
    assert running.evidence.audited >= len(verified)
    running.close()
    # Blind, what was said of many at once counts for no copy either.
    running = session.certify(0.1, seed=6)
    blind = running.items[:40]
    page.find("ids", ids=[str((int(item) + 200) % 400) for item in blind], n=40, strategy="grid")
    page.label_all({p["id"]: truth[int(p["id"])] for p in page.found["items"]})
    assert running.evidence.audited == 0


def test_what_is_offered_does_not_depend_on_what_is_not():
    session = taught()
    session.certify(0.05, seed=5)
    verify(session)
    assert session.certifying.certificate is not None
    session.add([f"item {N + k}" for k in range(400)], features=POINTS)
    session.retrain(wait=True)
    page = FakePage(session).open()
    page.send("plan")
    offers = {o["max_error"]: o for o in page.received[-1]["offers"] if o["blind"]}
    assert not offers[0.01]["begins"] and "already more than" in offers[0.01]["advice"]
    assert offers[0.05]["begins"] and page.received[-1]["error"] is None


def test_where_all_is_labeled_it_says_so():
    session = taught()
    for k in range(N):
        session.record(k, TRUTH[k])
    assert session.certifiable(0.05)["advice"].startswith("Every item has a label")


def test_a_page_hears_what_a_certificate_would_take_and_begins_one():
    session = make(random_state=0)
    page = FakePage(session).open()
    page.send("plan")
    assert page.received[-1]["type"] == "planned" and page.received[-1]["offers"] == []
    assert "no model yet" in page.received[-1]["error"]
    session = taught()
    page = FakePage(session).open()
    page.send("plan")
    told = page.received[-1]
    ways = [(offer["max_error"], offer["blind"]) for offer in told["offers"]]
    assert ways == [(level, blind) for level in (0.01, 0.02, 0.05) for blind in (True, False)]
    assert told["confidence"] == 0.95 and told["error"] is None
    last = told["offers"][-1]
    costs = session.certifiable(0.05, blind=False)
    assert costs["looks"] >= session.certifiable(0.05)["looks"]
    assert [last[name] for name in ("machine", "audits", "by_hand", "advice")] == [
        costs[name] for name in ("machine", "audits", "by_hand", "advice")
    ]
    assert last["begins"] and session.certifying is None
    page.send("plan", id="r7", begin=0.05, blind=False)
    running = session.certifying
    assert (running.terms.max_error, running.terms.confidence, running.terms.shown) == (
        0.05, 0.95, True,
    )  # fmt: skip
    assert page.status["certify"]["id"] == running.id and not page.status["certify"]["blind"]
    running.close()
    page.send("plan", id="r7", begin=0.05, blind=False)  # the same words once more
    assert session.certifying is running and page.status["certify"] is None
    page.send("plan", id="r8", begin=7.0)
    assert "max_error= is a share" in page.received[-1]["error"]


def test_an_old_certificate_is_no_news(tmp_path):
    session = taught(store=tmp_path / "labels.sqlite")
    session.certify(0.1)
    verify(session)
    assert session.status()["certify"]["state"] == "certified"
    session.close()
    again = make(store=tmp_path / "labels.sqlite")
    assert again.status()["certify"] is None and len(again.certificates) == 1
    again.close()


SEEN = {"strategy": "margin", "audit": False, "draw": None, "seed": None, "model_version": 1,
        "suggestion": None, "confidence": None, "visible": True}  # fmt: skip
