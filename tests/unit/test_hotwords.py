"""Which hints fit before the words of a window; a word is a token here."""

from __future__ import annotations

from whisper_worker.hotwords import ROOM, Hints, fit


def count(text: str) -> int:
    return len(text.split())


def test_what_fits_is_kept_as_it_is() -> None:
    hints = fit(" So far so good. ", ["Fanscribe", "Celery beat"], count)
    assert hints == Hints("Fanscribe, Celery beat", "So far so good.")
    assert hints.warnings == []


def test_terms_beyond_the_room_are_named_and_shorter_ones_behind_them_still_fit() -> None:
    long = " ".join(["word"] * (ROOM - 1))
    hints = fit("", [long, "two words", "one"], count)
    assert (hints.hotwords, hints.dropped) == (f"{long}, one", ["two words"])
    assert hints.warnings == ["keyword_dropped: two words"]


def test_of_a_long_prompt_the_end_stays_next_to_the_speech() -> None:
    words = [f"w{number}" for number in range(ROOM + 50)]
    hints = fit(" ".join(words), ["one"], count)
    kept = hints.prompt.split()
    assert len(kept) <= ROOM - 1
    assert kept[-1] == words[-1]
    assert hints.warnings == ["prompt_cut"]


def test_terms_and_prompt_share_the_room() -> None:
    hints = fit("a prompt", [f"t{number}" for number in range(ROOM)], count)
    assert (len(hints.hotwords.split()), hints.prompt) == (ROOM, "")
    assert hints.prompt_cut


def test_a_script_without_spaces_is_cut_between_characters() -> None:
    hints = fit("字" * 500 + "尾", [], lambda text: len(text.strip()))
    assert hints.prompt == "字" * (ROOM - 1) + "尾"


def test_no_room_is_needed_for_nothing() -> None:
    assert fit("", [], count) == Hints()
