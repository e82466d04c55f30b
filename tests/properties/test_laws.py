"""Laws of the log, the fold, the numbers and the ids."""

import json
from dataclasses import asdict, replace

import numpy as np
import pandas as pd
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nblabel._queue import Draw, Queue
from nblabel.certify import ErrorBound, Terms, miss_bound
from nblabel.estimate import wilson
from nblabel.events import EVERY_ITEM, STEPS, LabelEvent, Shown, decode, encode
from nblabel.labels import Labels
from nblabel.pool import Pool, digest
from nblabel.renderers.base import clean
from nblabel.strategies import pick
from nblabel.tables import Votes
from nblabel.widget.desk import utf16_marks

laws = settings(
    max_examples=80,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)

words = st.text(min_size=1, max_size=8)
#: Any text, also with lone surrogates; adjacent halves are one character in every encoding.
wild = st.text(st.characters(exclude_categories=()), max_size=12).filter(
    lambda text: len(text) == len(clean(text))
)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | wild,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(wild, inner, max_size=3),
    max_leaves=6,
)  # fmt: skip
plain = st.text(max_size=12)
counts = st.integers(0, 2**62)
shares = st.none() | st.floats(0, 1)
shown = st.builds(
    Shown, strategy=plain, audit=st.booleans(), draw=st.none() | counts, probability=shares,
    suggestion=st.none() | plain, confidence=shares, visible=st.booleans(),
    position=st.none() | counts, predicted=st.none() | plain,
)  # fmt: skip


@laws
@given(
    words, st.sampled_from(["label", "skip", "flag", "note"]), words, words, values, words,
    st.none() | st.floats(0, 1e9), shown, st.none() | words,
)  # fmt: skip
def test_an_event_comes_back_as_it_was(id, kind, item, who, value, at, seconds, shown, content):
    event = LabelEvent(id, kind, item, who, value, at, seconds, shown, content)
    text = encode(event)
    # No table can hold a lone surrogate: a value that is one text comes back without it.
    value = value.encode("utf-8", "replace").decode() if isinstance(value, str) else value
    event = replace(event, value=value)
    assert decode(text) == event
    assert decode(text.encode("utf-8").decode("utf-8")) == event
    assert "\n" not in text
    assert json.loads(encode(decode(text)))["value"] == value


# ---------------------------------------------------------------- the fold

ITEMS = ("x", "y", "z")


@st.composite
def steps(draw, begun: list[dict], number: int) -> dict:
    """Any step of an attempt, also one that comes too late, or begins another."""
    step = draw(st.sampled_from(STEPS)) if begun else "begin"
    if step == "begin":
        items = draw(st.permutations(ITEMS))[: draw(st.integers(1, 3))]
        codes = [draw(st.integers(0, 1)) for _ in items]
        terms = Terms(f"c{number}", 0.1, 0.9, "pool", 3, 0, 1.0, 3, None, 1)
        ranks = {"ranks": draw(st.permutations(range(len(items))))} if draw(st.booleans()) else {}
        return {
            "step": "begin", "attempt": terms.id, "terms": asdict(terms), "items": items,
            "values": ["ham", "spam"], "codes": codes, "contents": [None] * len(items), **ranks,
        }  # fmt: skip
    said = draw(st.sampled_from(begun))
    made: dict = {"step": step, "attempt": said["attempt"]}
    if step == "trap":
        made |= {"item": draw(st.sampled_from(ITEMS)), "missed": draw(st.booleans())}
    elif step == "certify":
        audited = draw(st.integers(0, len(said["items"])))
        made |= {"audited": audited, "errors": 0, "bound": 0, "vigilance": None}
        if "ranks" in said:
            made["cut"] = draw(st.integers(0, len(said["items"])))
    return made


def by_machine(events: list[LabelEvent]) -> dict[str, tuple[str, str]]:
    """Label and annotator of what certificates label, by the plainest reading."""
    begun: dict[str, dict] = {}
    ended: dict[str, dict | None] = {}  # what was said then, None without a certificate
    for event in events:
        if event.kind != "certify":
            continue
        said, name = event.value, event.value["attempt"]
        if said["step"] == "begin":
            for other in begun:
                ended.setdefault(other, None)
            begun[name] = said
        elif said["step"] in ("certify", "close"):
            ended.setdefault(name, said if said["step"] == "certify" else None)
        elif said["step"] == "revoke" and ended.get(name) is not None:
            ended[name] = None
    labels = {}
    for name, end in ended.items():
        if end is not None:
            said = begun[name]
            for k in range(end["audited"], len(said["items"])):
                if "ranks" not in said or said["ranks"][k] < end["cut"]:
                    labels[said["items"][k]] = (said["values"][said["codes"][k]], f"auto:{name}")
    return labels


@st.composite
def logs(draw) -> list[tuple[int, LabelEvent]]:
    """Any legal log: a retraction names an earlier event about the same item, perhaps again."""
    events: list[LabelEvent] = []
    for number in range(draw(st.integers(0, 25))):
        who = draw(st.sampled_from(["ana", "bob", "lf:short"]))
        kinds = ["label", "label", "skip", "flag", "note", "retract", "certify"]
        kind = draw(st.sampled_from(kinds))
        item = draw(st.sampled_from(ITEMS))
        value: object = None
        if kind == "label":
            value = draw(st.sampled_from(["ham", "spam"]))
        elif kind == "flag":
            value = draw(st.booleans())
        elif kind == "note":
            value = draw(st.sampled_from(["", "hm"]))
        elif kind == "certify":
            begun = [event.value for event in events if event.kind == "certify"]
            value = draw(steps([said for said in begun if said["step"] == "begin"], number))
            item = EVERY_ITEM
        elif kind == "retract":
            targets = [event for event in events if event.kind not in ("retract", "certify")]
            if not targets:
                continue
            target = draw(st.sampled_from(targets))
            item, value = target.item, target.id
        audit = draw(st.booleans())
        seconds = draw(st.none() | st.integers(1, 9).map(float))
        shown = Shown(audit=audit, predicted="ham")
        at = "2024-05-01T10:00:00+00:00"
        events.append(LabelEvent(f"e{number}", kind, item, who, value, at, seconds, shown))
    return list(enumerate(events, start=1))


def fold(*parts) -> Labels:
    labels = Labels()
    for part in parts:
        labels.extend(part)
    return labels


def facts(labels: Labels) -> dict[str, object]:
    """All that can be read from a fold."""
    return {
        "labels": {item: labels.label(item) for item in ITEMS},
        "flags": {item: labels.flagged(item) for item in ITEMS},
        "notes": {item: labels.note(item) for item in ITEMS},
        "counts": labels.counts(),
        "number": len(labels),
        "answered": set(labels.answered),
        "skipped": sorted(labels.skipped),
        "labeled": labels.labeled(machines=True),
        "order": list(labels.labeled()),
        "votes": labels.votes(),
        "history": labels.history().to_dict("records"),
        "trails": [labels.trail(who, 3) for who in ("ana", "bob")],
        "last": [labels.last(who) for who in ("ana", "bob")],
        "audits": labels.audits(),
        "certificates": labels.certificates,
        "attempts": list(labels.attempts.values()),
        "said": sorted(labels.said),
        "seconds": labels.seconds(),
        "position": labels.position,
    }


def same(a: dict[str, object], b: dict[str, object]) -> None:
    for name in a:
        left, right = a[name], b[name]
        if name == "history":  # seconds may be NaN there
            pd.testing.assert_frame_equal(pd.DataFrame(left), pd.DataFrame(right))
        else:
            assert left == right, name


@laws
@given(logs(), st.data())
def test_folding_a_prefix_and_then_the_rest_is_folding_the_whole(log, data):
    cut = data.draw(st.integers(0, len(log)))
    parts = fold(log[:cut])
    facts(parts)  # reading in between changes nothing
    parts.extend(log[cut:])
    same(facts(parts), facts(fold(log)))


@laws
@given(logs(), st.data())
def test_events_that_come_again_change_nothing(log, data):
    again = data.draw(st.lists(st.sampled_from(log), max_size=8)) if log else []
    labels = fold(log)
    before = facts(labels)
    assert labels.extend(again) == 0
    same(before, facts(labels))


@laws
@given(logs())
def test_the_fold_is_what_the_log_says(log):
    """Against the plainest reading: drop what was taken back, the newest of each kind stands."""
    events = [event for _, event in log]
    gone = {event.value for event in events if event.kind == "retract"}
    standing = [e for e in events if e.kind != "retract" and e.id not in gone]
    labels = fold(log)
    machine = by_machine(events)
    for item in ITEMS:
        of_item = [event for event in standing if event.item == item]
        answers = [event for event in of_item if event.kind in ("label", "skip")]
        flags = [event for event in of_item if event.kind == "flag"]
        notes = [event for event in of_item if event.kind == "note"]
        current = labels.current(item)
        if answers or item not in machine:
            assert current == (answers[-1] if answers else None)
        else:
            assert (current.value, current.annotator) == machine[item]
        assert labels.flagged(item) == bool(flags and flags[-1].value)
        assert labels.note(item) == (notes[-1].value if notes else "")
    current = [labels.label(item) for item in ITEMS]
    assert labels.counts() == {v: current.count(v) for v in ("ham", "spam") if v in current}
    mine = [e for e in standing if e.annotator == "ana" and e.kind != "certify"]
    assert labels.last("ana") == (mine[-1] if mine else None)
    assert [event for event, _ in labels.trail("ana", 99)[0]] == mine
    timed = [e.seconds for e in standing if e.kind in ("label", "skip") and e.seconds]
    assert labels.seconds() == timed
    votes = {}
    for event in standing:
        if event.kind == "label":
            votes[event.item, event.annotator] = event.value
        elif event.kind == "skip":
            votes.pop((event.item, event.annotator), None)
    found: Votes = labels.votes()
    keys = zip(found.items, found.annotators, strict=True)
    assert dict(zip(keys, found.values, strict=True)) == votes


@laws
@given(logs(), st.integers(1, 4))
def test_the_trail_in_pages_is_the_trail(log, most):
    labels = fold(log)
    whole, more = labels.trail("ana", 99)
    assert more is None
    pages, before = [], None
    while True:
        rows, before = labels.trail("ana", most, before)
        pages = rows + pages
        assert len(rows) <= most
        if before is None:
            break
    assert pages == whole


@laws
@given(logs())
def test_taking_everything_back_leaves_nothing(log):
    labels = fold(log)
    number = len(log)
    for made in labels.certificates:
        number += 1
        said = {"step": "revoke", "attempt": made.id}
        labels.apply(number, LabelEvent(f"u{number}", "certify", EVERY_ITEM, "ana", said))
    for who in ("ana", "bob", "lf:short"):
        while (target := labels.last(who)) is not None:
            number += 1
            labels.apply(number, LabelEvent(f"u{number}", "retract", target.item, who, target.id))
    empty = facts(Labels())
    found = facts(labels)
    for name in set(empty) - {"history", "position", "certificates", "attempts"}:
        assert found[name] == empty[name], name


# ---------------------------------------------------------------- numbers

counted = st.integers(1, 2000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@laws
@given(counted, st.floats(0.5, 0.999))
def test_wilson_contains_the_estimate(counts, confidence):
    share = wilson(*counts, confidence)
    assert 0 <= share.low <= share.value <= share.high <= 1


@laws
@given(counted, st.floats(0.5, 0.99))
def test_wilson_is_monotone(counts, confidence):
    hits, n = counts
    share = wilson(hits, n, confidence)
    if hits < n:
        more = wilson(hits + 1, n, confidence)
        assert more.low >= share.low and more.high >= share.high
    wider = wilson(hits, n, confidence + 0.005)
    assert wider.low <= share.low and wider.high >= share.high
    longer = wilson(4 * hits, 4 * n, confidence)
    assert longer.high - longer.low <= share.high - share.low + 1e-12


@laws
@given(st.integers(1, 60), st.integers(0, 8), st.floats(0.01, 0.5), st.data())
def test_the_bound_on_errors_is_monotone(n, budget, delta, data):
    wrong = np.array(data.draw(st.lists(st.booleans(), min_size=n, max_size=n)))
    curve = ErrorBound(n, delta, budget).curve(wrong)
    found = np.concatenate([[0], np.cumsum(wrong)])
    assert (curve >= found).all() and curve[-1] == wrong.sum()
    assert ((np.diff(curve) <= 0) | (curve[1:] == found[1:])).all()  # where it has failed
    flip = data.draw(st.integers(0, n - 1))
    cut = data.draw(st.integers(0, n))
    if not wrong[flip]:  # one more error never makes it lower, as far as one was to be found
        more = wrong.copy()
        more[flip] = True
        assert (ErrorBound(n, delta, budget).curve(more[:cut]) >= curve[: cut + 1])[
            : flip + 1
        ].all()
        assert ErrorBound(n, delta, budget).curve(more)[cut] >= curve[cut]


@laws
@given(st.integers(0, 40), st.integers(0, 60), st.floats(0.001, 0.3))
def test_the_bound_on_misses_is_monotone(missed, caught, delta):
    shown = missed + caught
    bound = miss_bound(missed, shown, delta)
    assert (missed / shown if shown else 0) <= bound <= 1
    assert miss_bound(missed, shown, delta / 2) >= bound - 1e-12
    assert miss_bound(missed + 1, shown + 1, delta) >= miss_bound(missed, shown + 1, delta) - 1e-12


# ---------------------------------------------------------------- order

utilities = st.lists(
    st.sampled_from([0.0, 1.0, -np.inf, np.inf, np.nan]) | st.floats(width=32), max_size=40
).map(lambda made: np.array(made, dtype=float))


@laws
@given(utilities, st.integers(0, 45), st.integers(0, 5))
def test_pick_takes_the_largest(made, k, seed):
    found = pick(made, k, np.random.default_rng(seed))
    assert len(found) == len(set(found.tolist())) == min(k, len(made))
    ranked = np.where(np.isnan(made), -np.inf, made)
    assert ranked[found].tolist() == sorted(ranked.tolist(), reverse=True)[: len(found)]
    again = pick(made, k, np.random.default_rng(seed))
    assert found.tolist() == again.tolist()


@laws
@given(
    st.integers(1, 25), st.floats(0, 1), st.integers(0, 9),
    st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 6)), max_size=25),
)  # fmt: skip
def test_the_queue_asks_everything_once(n_items, explore, seed, turns):
    queue = Queue(n_items, explore=explore, seed=seed)
    rng = np.random.default_rng(seed)
    answered: set[int] = set()
    known: set[Draw] = set()
    for client, k in [*turns, ("a", 3), *[("b", n_items)] * 2]:
        queue.rank([Draw(int(p), "margin") for p in rng.permutation(n_items)[:5]])
        is_open = np.array([p not in answered for p in range(n_items)])
        keep = [p for p in queue.hand(client) if is_open[p]][:2]
        window = queue.window(client, k, is_open, keep)
        # Of what is drawn now each item that nobody has is as likely, but what was passed before.
        others = queue.elsewhere(client)
        for before, draw in enumerate(window):
            if draw.reason == "drawn at random" and draw not in known:
                open_now = sum(is_open[p] and p not in others for p in range(n_items))
                assert 1 <= round(1 / draw.probability) <= open_now - before
        known |= set(window)
        asked = [draw.position for draw in window]
        assert asked[: len(keep)] == keep
        assert len(set(asked)) == len(asked) and not set(asked) & answered
        assert len(asked) == max(min(k, n_items - len(answered)), len(keep))
        answered |= set(asked[:2] if (client, k) != ("b", n_items) else asked)
    assert answered == set(range(n_items))


# ---------------------------------------------------------------- ids and texts

contents = st.one_of(
    st.tuples(st.just("text"), st.text(st.characters(exclude_categories=()), max_size=6)),
    st.tuples(st.just("bytes"), st.binary(max_size=6)),
    st.tuples(st.just("int"), st.integers()),
    st.tuples(st.just("float"), st.floats(allow_nan=False).map(lambda x: x + 0.0)),
    st.tuples(st.just("list"), st.lists(st.text(max_size=2), max_size=3)),
    st.tuples(st.just("row"), st.dictionaries(st.text(max_size=2), st.integers(), max_size=3)),
)


@laws
@given(contents, contents)
def test_digests_are_equal_exactly_if_the_content_is(a, b):
    (kind, one), (other, two) = a, b
    if kind == other:  # a number and its text may well be the same content
        ordered = kind != "row" or list(one) == list(two)
        assert (digest(one) == digest(two)) == (one == two and ordered)
    assert len(digest(one)) == 16


@laws
@given(st.lists(st.none() | st.integers(0, 3) | wild, min_size=1, max_size=12))
def test_ids_differ_and_can_be_sent(keys):
    index = pd.Index(keys, dtype=object)
    pool = Pool([f"item {k}" for k in range(len(keys))], index)
    assert len(set(pool.ids)) == len(pool) and all(pool.ids)
    for position, item in enumerate(pool.ids):
        item.encode("utf-8")
        assert pool.position(item) == position and pool.id_of(item) == item
    again = Pool([f"item {k}" for k in range(len(keys))], index)
    assert again.ids == pool.ids and again.fingerprint() == pool.fingerprint()


@laws
@given(st.text(st.characters(exclude_categories=()), max_size=30))
def test_any_text_can_be_sent(text):
    cleaned = clean(text)
    cleaned.encode("utf-8")
    assert clean(cleaned) == cleaned
    units = len(text.encode("utf-16-le", "surrogatepass")) // 2
    assert len(cleaned.encode("utf-16-le")) // 2 == units


@laws
@given(st.text(max_size=40), st.lists(st.integers(0, 40), max_size=8))
def test_marks_mean_the_same_text_on_both_sides(text, cuts):
    cuts = sorted({min(cut, len(text)) for cut in cuts})
    spans = [(a, b, 1.0) for a, b in zip(cuts[::2], cuts[1::2], strict=False)]
    raw = text.encode("utf-16-le")
    for (a, b, _), (left, right, _) in zip(spans, utf16_marks(text, spans), strict=True):
        assert raw[2 * left : 2 * right].decode("utf-16-le") == text[a:b]
