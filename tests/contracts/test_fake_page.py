"""The fake page behaves as a page does, also on a bad line."""

import numpy as np
import pytest

from nblabel import Labeler
from nblabel.session import Session
from nblabel.testing import FakePage
from nblabel.widget.desk import Desk


def make(**how) -> Session:
    how = {"store": None, "inline": True, "annotator": "ana", "explore": 0.0, **how}
    return Session([f"some text {k}" for k in range(12)], ["ham", "spam"], **how)


def test_a_page_labels():
    session = make()
    page = FakePage(session).open(5)
    assert len(page.order) == 5 and set(page.order) == set(page.items)
    first, second, third = page.order[:3]
    page.label(first, "ham")
    page.skip(second)
    page.flag(third)
    page.note(third, "hm 😀")
    assert page.outbox == {} and page.order[0] == third
    assert session.labels["label"].to_dict() == {int(first): "ham"}
    assert session.skipped == [second] and session.said(third) == (None, "hm 😀", True)
    assert page.status["labeled"] == 1 and page.rejected == []
    assert [event["kind"] for event in page.trail] == ["label", "skip", "flag", "note"]


def test_a_page_takes_back_to_the_beginning():
    session = make()
    page = FakePage(session).open()
    item = page.order[0]
    page.label(item, "ham")
    said = page.label(item, "spam")
    page.flag(item)
    page.flag(item, False)
    page.retract(said, item)
    assert session.labels["label"].tolist() == ["ham"]
    while page.undo():
        pass
    assert len(session.labels) == 0 and page.undo() is None and page.trail == []


def test_it_sits_at_a_labeler_a_session_or_a_desk():
    session = make()
    labeler = Labeler(session)
    assert FakePage(labeler).desk is labeler._desk
    desk = Desk(session)
    assert FakePage(desk).desk is desk and FakePage(session).desk.session is session
    FakePage(labeler).open().label("3", "ham")
    assert session.labels.index.tolist() == [3]
    labeler.close()


def test_messages_that_are_lost_are_sent_again():
    session = make()
    page = FakePage(session).open()
    page.line = "down"
    page.label("0", "ham")
    page.label("1", "spam")
    assert len(page.outbox) == 2 and len(session.labels) == 0
    page.line = "up"
    page.resend()
    assert page.outbox == {} and session.labels["label"].tolist() == ["ham", "spam"]
    page.resend()  # nothing left to send
    assert len(session.history) == 2


def test_replies_that_are_lost_cost_nothing():
    session = make()
    page = FakePage(session).open()
    page.line = "deaf"
    page.label("0", "ham")
    assert len(page.outbox) == 1 and len(session.labels) == 1
    page.line = "up"
    page.resend()
    assert page.outbox == {} and len(session.history) == 1


def test_messages_in_another_order_are_applied_in_the_order_said():
    session = make()
    page = FakePage(session).open()
    page.line = "held"
    page.label("0", "ham")
    page.label("0", "spam")
    page.undo()
    page.deliver([2, 0, 1, 0])
    assert session.history["kind"].tolist() == ["label", "label", "retract"]
    assert session.labels["label"].tolist() == ["ham"] and page.outbox == {}
    page.line = "held"
    page.label("1", "ham")
    page.deliver()
    assert len(session.labels) == 2 and page.held == []


def test_what_is_refused_and_rejected():
    session = make()
    page = FakePage(session).open()
    page.label("0", "eggs")
    assert page.rejected[0]["code"] == "illegal" and "'eggs'" in page.rejected[0]["text"]
    assert page.outbox == {} and page.trail == []
    page.send("hello", speaks=[99], unsent=0)
    assert "Reload the page and restart the kernel" in page.refused


def test_a_page_that_comes_back_knows_what_it_said():
    session = make()
    page = FakePage(session, client="one").open()
    said = page.label(page.order[0], "ham")
    other = FakePage(page.desk, client="two").open()
    assert [event["id"] for event in other.trail] == [said]
    assert not set(other.order) & {page.received[1]["order"][0]}
    page.line = "down"
    unsent = page.label(page.order[0], "spam")
    page.line = "up"
    page.hello()
    assert [event["id"] for event in page.trail] == [said, unsent]
    page.want(5)
    assert page.outbox and page.outbox[unsent]["item"] not in page.order


def test_replies_to_other_pages_are_passed_over():
    session = make()
    page = FakePage(session, client="one").open()
    before = len(page.received)
    page.receive({"client": "two", "type": "refuse", "text": "no"})
    assert len(page.received) == before and page.refused == ""


def test_images_come_as_buffers_once():
    session = Session(
        np.arange(48, dtype=np.uint8).reshape(3, 4, 4) * 5, ["a", "b"], store=None, inline=True
    )
    page = FakePage(session).open(3)
    assert all(buffers[0].startswith(b"\x89PNG") for buffers in page.buffers.values())
    kept = dict(page.buffers)
    page.want(3)
    assert page.buffers == kept and len(kept) == 3
    assert all(item["view"]["kind"] == "image" for item in page.items.values())


def test_items_are_asked_for_by_name():
    page = FakePage(make())
    page.hello()
    page.want(ids=["7", "no such item"])
    assert list(page.items) == ["7"] and page.order == []
    page.label("7", "ham")
    assert page.items["7"]["shown"]["strategy"] == "browse"


def test_what_cannot_be_sent_says_so():
    page = FakePage(make()).open()
    with pytest.raises(AssertionError, match="A message of type 'event' cannot be sent as JSON"):
        page.label("0", {1, 2})


def test_a_page_loaded_anew_takes_over_what_was_unsent():
    session = make()
    page = FakePage(session).open()
    kept = page.label("3", "ham")
    page.line = "down"
    page.label("4", "ham")
    page.label("5", "spam")
    after = page.reload()
    assert after.outbox == {} and after.client != page.client
    assert list(session.labels.index) == [3, 4, 5]
    assert [event["item"] for event in after.trail] == ["3", "4", "5"]
    assert kept == after.trail[0]["id"]


def test_a_page_counts_anew_for_a_kernel_that_does_not_know_it():
    session = make()
    page = FakePage(session).open()
    for item in ("3", "4", "5"):
        page.label(item, "ham")
    client = page.client
    page.desk = type(page.desk)(session)  # the kernel was restarted
    page.label("6", "spam")
    assert page.outbox == {} and page.client != client
    assert list(session.labels.index) == [3, 4, 5, 6]
