"""Messages of both sides, held against the files that the front end's tests read too."""

from __future__ import annotations

import importlib.util
import json
import sys
from dataclasses import asdict, fields, replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from nblabel.errors import ProtocolError
from nblabel.widget import protocol as p
from nblabel.widget.desk import utf16_marks

ROOT = Path(__file__).parents[2]
GOLDEN = Path(__file__).parent / "golden"


def load(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def files(folder: str) -> list[Any]:
    found = sorted((GOLDEN / folder).glob("*.json"))
    assert found, f"no golden messages in {folder}"
    return [pytest.param(path, id=path.stem) for path in found]


# ---------------------------------------------------------------- page to kernel

SHOWN = p.ShownPart("cluster-margin", False, None, None, 3, "spam", 0.875, True, 4)
AUDIT = p.ShownPart("audit", True, 17, 11, 3, "ham", 0.5, False, 5)
DRAWN = replace(AUDIT, probability=0.03125)
BARE = p.ShownPart("browse", False, None, None, 0, None, None, False, None)


def said(id: str, seq: int, *rest: Any) -> p.EventPart:
    kind, item, value, seconds, shown = rest
    return p.EventPart(id, seq, kind, item, value, f"2026-03-04T05:06:0{seq}.789Z", seconds, shown)


EVENT = p.Event(
    1,
    "event",
    "page-1",
    "r3",
    [
        said("e1", 1, "label", "42", "spam", 1.25, SHOWN),
        said("e2", 2, "skip", "7", None, 3.0, AUDIT),
        said("e3", 3, "flag", "42", True, None, BARE),
        said("e4", 4, "note", "42", "really? 🤔 日本語", None, BARE),
        said("e5", 5, "retract", "42", "e1", None, BARE),
    ],
)


def labeled(value: Any, shown: p.ShownPart = SHOWN) -> p.Event:
    return replace(EVENT, events=[said("e1", 1, "label", "42", value, 1.25, shown)])


HELD = ["42", "7", '["a", "1"]']
WANT = p.Want(1, "want", "page-1", "r2", 120, ["42", "7"], HELD, [])
PAGE: dict[str, Any] = {
    "hello": p.Hello(1, "hello", "page-1", "r1", [1], 0),
    "hello_other_version": p.Hello(9, "hello", "page-1", "r1", [8, 9], 12),
    "event": EVENT,
    "event_drawn": labeled("spam", DRAWN),
    "event_value_list": labeled(["spam"]),
    "event_value_number": labeled(1),
    "event_value_spans": labeled([{"start": 0, "end": 2, "label": "😀 שם"}]),
    "fetch": p.Fetch(1, "fetch", "page-1", "r9", "editor-spans"),
    "read": p.Read(1, "read", "page-1", "r10", "42", "left/3", 1_000_000, 1_000_000),
    "read_map": p.Read(1, "read", "page-1", "r12", None, "xy/pca/1", 0, 1_000_000),
    "chart": p.Chart(1, "chart", "page-1", "r11", "umap", True, True, [3, 999_999]),
    "chart_shortest": p.Chart(1, "chart", "page-1", "r11", "pca"),
    "find": p.Find(
        1, "find", "page-1", "r11", "class", "spam 🤔", "grid", 72, ["42", '["a", "1"]'], [], True
    ),
    "find_ids": p.Find(1, "find", "page-1", "r12", "ids", "", "map", 200, [], ["42", "7"]),
    "find_whole": p.Find(1, "find", "page-1", "r12", "ids", "", "map", 1, [], ["42"], whole=True),
    "find_certify": p.Find(
        1, "find", "page-1", "r14", "certify", "", "grid", 60, ["42"], [], False
    ),
    "plan": p.Plan(1, "plan", "page-1", "r13", 0.02, False),
    "plan_shortest": p.Plan(1, "plan", "page-1", "r13"),
    "event_empty": replace(EVENT, id="r4", events=[]),
    "want": WANT,
    "want_shortest": WANT,
    "want_from_a_newer_page": WANT,
    "want_ids": p.Want(
        1, "want", "page-1", "r5", 0, [], [], ["3"], 201, True, True, True, "c0ffee11"
    ),
}


@pytest.mark.parametrize("path", files("page"))
def test_the_kernel_reads_what_a_page_sends(path: Path) -> None:
    assert p.parse(load(path)) == PAGE[path.stem]


def test_every_page_message_has_its_file() -> None:
    assert {path.stem for path in (GOLDEN / "page").glob("*.json")} == set(PAGE)
    assert {type(message) for message in PAGE.values()} == set(p.FROM_PAGE)


@pytest.mark.parametrize("path", files("bad_page"))
def test_the_kernel_refuses_what_is_off(path: Path) -> None:
    golden = load(path)
    with pytest.raises(ProtocolError) as caught:
        p.parse(golden["message"])
    assert caught.value.code == golden["code"]
    assert caught.value.text == str(caught.value) != ""
    assert len(caught.value.text) < 300


def test_every_code_is_met() -> None:
    codes = {load(path)["code"] for path in (GOLDEN / "bad_page").glob("*.json")}
    assert codes == {"shape", "type", "version", "field"}


# ---------------------------------------------------------------- kernel to page

FIRST = p.StatusPart(
    items=4000, labeled=0, skipped=0, left=4000, counts={}, training="waiting", version=0,
    learned=0, rank=1, doing="typical-clusters", audits=0, explore=0.1, accuracy=None, curve=[],
    pace=None, store=None, warning="", error=None,
)  # fmt: skip
LATER = p.StatusPart(
    items=4000, labeled=212, skipped=3, left=3785, counts={"ham": 150, "spam": 62},
    training="idle", version=21, learned=210, rank=22, doing="cluster-margin", audits=24,
    explore=0.1, accuracy=(0.875, 0.6899, 0.9566, 24),
    curve=[(180, 0.8, 0.584, 0.9193), (212, 0.875, 0.6899, 0.9566)], pace=(1.5, 1.25, 2.0),
    store="labels.sqlite", warning="2 labeled item(s) of the log are not in this data.",
    error="The model could not be trained: ValueError: no\n\nTraceback", outside=3,
    certify=p.CertifyPart(
        "c0ffee11", "verifying", 0.02, 0.125, 40, 1, 143, 3500, "143 more without an error.",
        [(0, 0.875), (20, 0.25), (40, 0.125)], True,
    ),
)  # fmt: skip
NEW = replace(SHOWN, position=None)
TEXT = "🎉 free money"
MARKS = [(2, 6, 1.0), (7, 12, 0.25)]  # as Python counts
ITEMS = p.Items(
    v=1,
    type="items",
    client="page-1",
    re="r2",
    window=True,
    order=["42", "7", "pic", "9"],
    items=[
        p.ItemPart(
            "42", "42", "the model is unsure", NEW,
            p.SuggestionPart(
                "spam", 0.875, [("spam", 0.875), ("ham", 0.125)], utf16_marks(TEXT, MARKS), 3
            ),
            p.ViewPart("text", {"text": TEXT}, 0), None, "", False,
        ),
        p.ItemPart(
            "7", "('a', 1)", "drawn at random", replace(DRAWN, position=None),
            p.SuggestionPart("ham", None, [("ham", None), ("spam", None)], [], 3),
            None, None, "", False,
        ),
        p.ItemPart(
            "pic", "cat.png", "drawn at random", replace(BARE, strategy="random"), None,
            p.ViewPart("image", {"type": "image/png", "width": 8, "height": 8}, 1),
            None, "", False,
        ),
        p.ItemPart(
            "9", "9", "typical of its kind", replace(BARE, strategy="typical-clusters"), None,
            p.ViewPart(
                "row",
                {
                    "fields": [
                        {"name": "age", "text": "31", "type": "number"},
                        {"name": "<b>", "text": "", "type": "missing"},
                    ]
                },
                0,
            ),
            None, "", False,
        ),
    ],
    trail=[],
    more=None,
    rank=22,
    status=LATER,
)  # fmt: skip
BROKEN = {
    "title": "This item cannot be shown as image",
    "text": "OSError: truncated",
    "detail": "Traceback",
}
KERNEL: dict[str, Any] = {
    "welcome": p.Welcome(
        1, "welcome", "page-1", "r1", "5f0c", "ana", "showing column 'text' as text",
        [
            p.TrailPart("e1", "label", "42", "spam", None),
            p.TrailPart("e2", "skip", "7", None, "ham"),
            p.TrailPart("e3", "flag", "42", True, None),
            p.TrailPart("e4", "note", "42", "really? 🤔", None),
        ],
        201, LATER,
    ),
    "welcome_first": p.Welcome(1, "welcome", "page-1", "r1", "5f0c", "me", "", [], None, FIRST),
    "items": ITEMS,
    "items_label_number": replace(
        ITEMS, items=[replace(ITEMS.items[0], label=1), *ITEMS.items[1:]]
    ),
    "found": p.Found(
        1, "found", "page-1", "r11", "spam",
        [
            replace(
                ITEMS.items[0], reason="believed to be spam", shown=replace(NEW, strategy="grid"),
                copies=3,
            )
        ],
        1203, {"ham": 2500, "spam": 1204}, False, None,
    ),
    "found_pending": p.Found(
        1, "found", "page-1", "r13", "42", [], 0, {}, True, None
    ),
    "found_none": p.Found(
        1, "found", "page-1", "r13", "7", [], 0, {}, False, "There is no model yet."
    ),
    "module": p.Module(1, "module", "page-1", "r9", "editor-spans", "export default 1"),
    "module_none": p.Module(1, "module", "page-1", "r9", "editor-x", None),
    "piece": p.Piece(1, "piece", "page-1", "r10", 1_000_000, 1_234_567, None),
    "piece_none": p.Piece(
        1, "piece", "page-1", "r10", 0, 0, "ValueError: this item has no part 'x'"
    ),
    "charted": p.Charted(
        1, "charted", "page-1", "r11", "pca", "computing", 4000, "xy/pca/1", 0.25,
        "There are no features of these items.",
        [
            p.LayerPart("label", "label/4000.212", ["ham", "spam"]),
            p.LayerPart("confidence", "confidence/4000.21", []),
        ],
        ["42", '["a", "1"]'],
    ),
    "charted_none": p.Charted(
        1, "charted", "page-1", "r11", "umap", "none", 0, "", None, "", [], []
    ),
    "planned": p.Planned(
        1, "planned", "page-1", "r13", 0.95,
        [
            p.OfferPart(0.01, True, 0, 0, 4000, False, "The model needs labels."),
            p.OfferPart(0.05, False, 3500, 180, 320, True, "The machine could label 3,500 items."),
        ],
        None, FIRST,
    ),
    "planned_none": p.Planned(
        1, "planned", "page-1", "r13", 0.95, [], "There is no model yet 🤔", LATER
    ),
    "items_back": replace(
        ITEMS,
        re="r5",
        window=False,
        order=[],
        items=[
            p.ItemPart(
                "3", "3", "answered before", BARE, None, p.ViewPart("error", BROKEN, 0),
                "ham", "really? 🤔", True,
            )
        ],
        trail=[p.TrailPart("e0", "label", "3", "ham", "spam")],
        more=150,
    ),
    "items_none": p.Items(
        1, "items", "page-1", "r6", True, [], [], [], None, 1,
        replace(FIRST, training="off", left=0),
    ),
    "ack": p.Ack(
        1, "ack", "page-1", "r3", ["e1", "e2", "e3", "e4", "e5"], 6,
        replace(LATER, training="training", progress=0.4299, finding=True),
    ),
    "ack_gap": p.Ack(1, "ack", "page-1", "r7", [], 6, replace(LATER, training="failed")),
    "reject": p.Reject(
        1, "reject", "page-1", "r3", ["e1"], "illegal",
        "'spma' is not one of the labels. Did you mean 'spam'?", False,
    ),
    "reject_later": p.Reject(
        1, "reject", "page-1", "r3", ["e1", "e2"], "store",
        "The log labels.sqlite cannot be written (database or disk is full).", True,
    ),
    "reject_unknown": p.Reject(
        1, "reject", "page-1", "r8", [], "type", "unknown message type 'notice'", True
    ),
    "refuse": p.Refuse(
        1, "refuse", "page-1", "r1", "version", "Reload the page and restart the kernel."
    ),
    "refuse_from_a_newer_kernel": p.Refuse(
        2, "refuse", "page-1", "r1", "version", "Reload the page and restart the kernel."
    ),
    "refuse_replaced": p.Refuse(
        1, "refuse", "page-1", "r2", "replaced",
        "This labeler was replaced: its labels were opened again. Go on in the newer output.",
    ),
}  # fmt: skip


@pytest.mark.parametrize("path", files("kernel"))
def test_the_kernel_sends_what_a_page_reads(path: Path) -> None:
    sent = json.dumps(asdict(KERNEL[path.stem]), ensure_ascii=False, allow_nan=False)
    assert json.loads(sent) == load(path)


def test_every_kernel_message_has_its_file() -> None:
    assert {path.stem for path in (GOLDEN / "kernel").glob("*.json")} == set(KERNEL)
    assert {type(message) for message in KERNEL.values()} == set(p.FROM_KERNEL)


def test_every_field_is_met_with_a_value() -> None:
    """A field that is empty in all files could be misread unnoticed."""
    met: set[tuple[str, str]] = set()

    def walk(part: Any) -> None:
        for name, value in vars(part).items():
            if value not in (None, [], {}, "", False):
                met.add((type(part).__name__, name))
            for inner in value if isinstance(value, list) else [value]:
                if type(inner) in p.PARTS:
                    walk(inner)

    for message in (*PAGE.values(), *KERNEL.values()):
        walk(message)
    shapes = (*p.PARTS, *p.FROM_PAGE, *p.FROM_KERNEL)
    assert {(s.__name__, f.name) for s in shapes for f in fields(s)} - met == set()


def test_marks_count_as_the_browser_counts() -> None:
    golden = load(GOLDEN / "kernel" / "items.json")["items"][0]
    text = golden["view"]["data"]["text"].encode("utf-16-le")
    marks = golden["suggestion"]["marks"]
    assert [text[2 * start : 2 * end].decode("utf-16-le") for start, end, _ in marks] == [
        "free",
        "money",
    ]


# ---------------------------------------------------------------- the generated side


@pytest.fixture
def generator(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    spec = importlib.util.spec_from_file_location("gen_protocol", ROOT / "scripts/gen_protocol.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(sys, "argv", ["gen_protocol.py", "--check"])
    return module


def test_the_typescript_side_is_up_to_date(generator: ModuleType) -> None:
    assert generator.TARGET == ROOT / "js/src/protocol.ts"
    assert generator.main() == 0, "js/src/protocol.ts is stale: run `make protocol`"


def test_a_stale_typescript_side_is_noticed(
    generator: ModuleType,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    generator.TARGET = tmp_path / "protocol.ts"
    assert generator.main() == 1
    generator.TARGET.write_text(generator.generate().replace("retry", "again"))
    assert generator.main() == 1
    assert "stale: run `make protocol`" in capsys.readouterr().out
    monkeypatch.setattr(sys, "argv", ["gen_protocol.py"])
    assert generator.main() == 0
    monkeypatch.setattr(sys, "argv", ["gen_protocol.py", "--check"])
    assert generator.main() == 0
