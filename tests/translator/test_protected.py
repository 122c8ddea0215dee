"""Engines that lose, double and garble, and real models that do not know what a link is."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from translator_worker.engines import Row, Translation
from translator_worker.engines.ctranslate2 import CTranslate2Engine
from translator_worker.engines.protected import IN_PIECES, NUMBER_LOST, ProtectedEngine

HARD = [
    "Please open https://example.com/a?b=1 in the kitchen.",
    "Dear {name}, the meeting starts at 10:30.",
    "Write <b>to Anna</b> at anna@example.org!",
    "%s of %d trains are late in 2026.",
    "{greeting}",
    "https://example.com",
    "[1] says {name} [2]",
    "Good morning.",
    "",
]


class SpeakingEngine:
    """An engine that answers as a function does, and remembers what it was asked."""

    def __init__(self, answer: Callable[[str], str]) -> None:
        self.asked: list[str] = []
        self.rows: list[Row] = []
        self._answer = answer

    def translate(self, rows: Sequence[Row], *, beam_size: int | None) -> list[Translation]:
        self.rows += rows
        self.asked += [row.text for row in rows]
        return [Translation(self._answer(row.text) if row.text else "", ["seen"]) for row in rows]


def translated(answer: Callable[[str], str], *texts: str, masks: bool = True) -> list[Translation]:
    engine = ProtectedEngine(SpeakingEngine(answer), masks=masks)
    return engine.translate([Row(text, "en", "de") for text in texts], beam_size=None)


def test_what_a_model_carries_along_is_asked_once() -> None:
    inside = SpeakingEngine(str.upper)
    rows = [Row(text, "en", "de") for text in HARD]
    made = ProtectedEngine(inside, masks=True).translate(rows, beam_size=None)
    assert [each.text for each in made][:2] == [
        "PLEASE OPEN https://example.com/a?b=1 IN THE KITCHEN.",
        "DEAR {name}, THE MEETING STARTS AT 10:30.",
    ]
    assert len(inside.asked) == len(rows)
    assert all(IN_PIECES not in each.flags for each in made)


def test_a_text_that_is_all_protected_is_shown_to_no_model() -> None:
    made = translated(lambda text: f"{text} and lies", "{greeting}", "https://example.com.")
    assert [(each.text, each.flags) for each in made] == [
        ("{greeting}", []), ("https://example.com.", [])
    ]  # fmt: skip


@pytest.mark.parametrize(
    "lossy",
    [
        lambda _: "garbage",
        lambda _: "",
        lambda text: text.replace("[", "").replace("]", ""),
        lambda text: f"{text} {text}",
        lambda text: text[::-1],
        lambda _: "[1] [2] [3] [4]",
    ],
)
def test_what_a_model_loses_comes_back_in_pieces(lossy) -> None:
    for text, made in zip(HARD, translated(lossy, *HARD), strict=True):
        for span in ["https://example.com/a?b=1", "{name}", "<b>", "</b>", "anna@example.org",
                     "%s", "%d", "10:30", "2026"]:  # fmt: skip
            assert text.count(span) <= made.text.count(span), (text, made)


def test_a_sentence_in_pieces_is_flagged_and_keeps_its_flags() -> None:
    (made,) = translated(lambda _: "weg", "Dear {name}, see https://x.y.")
    assert (made.text, made.flags) == ("weg {name}, weg https://x.y.", ["seen", IN_PIECES])


def test_a_lost_number_alone_is_a_reason() -> None:
    (made,) = translated(lambda text: text.replace("2026", ""), "It was in 2026 here.")
    assert (made.text, made.flags) == ("It was in 2026 here.", ["seen", IN_PIECES])


def test_a_chat_model_sees_the_text_as_it_is() -> None:
    inside = SpeakingEngine(lambda text: text.replace("Dear", "Liebe"))
    row = Row("Dear {name}, see %s.", "en", "de")
    (made,) = ProtectedEngine(inside, masks=False).translate([row], beam_size=None)
    assert (inside.asked, made.text) == (["Dear {name}, see %s."], "Liebe {name}, see %s.")


def test_what_a_chat_model_loses_comes_back_in_pieces_but_a_number_is_only_flagged() -> None:
    lossy = translated(lambda text: text.replace("{name}", "Anna"), "Dear {name}.", masks=False)
    assert [(each.text, IN_PIECES in each.flags) for each in lossy] == [("Dear {name}.", True)]
    words = translated(lambda _: "um halb elf", "At 10:30.", masks=False)
    assert [(each.text, each.flags) for each in words] == [("um halb elf", ["seen", NUMBER_LOST])]


def test_a_real_model_that_babbles_keeps_every_span(ending_model) -> None:
    engine = ProtectedEngine(
        CTranslate2Engine(ending_model, device="cpu", compute_type="int8"), masks=True
    )
    rows = [Row(text, "en", target) for text in HARD for target in ("zh", "de")]
    for row, made in zip(rows, engine.translate(rows, beam_size=1), strict=True):
        for span in (
            "https://example.com",
            "{name}",
            "<b>",
            "</b>",
            "anna@example.org",
            "%s of %d",
        ):
            part = span.split()[0]
            assert row.text.count(part) <= made.text.count(part), (row, made)
