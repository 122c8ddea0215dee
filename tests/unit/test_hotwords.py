"""Which hints fit before the words of a window; a word is a token here."""

from __future__ import annotations

from services.model.hotwords import ROOM, Boosted, Hinted, Hotwords, Term, joined
from whisper_worker.hotwords import Hints, fit, hint


def count(text: str) -> int:
    return len(text.split())


def test_what_fits_is_kept_as_it_is() -> None:
    hints = fit(" So far so good. ", ["Fanscribe", "Celery beat"], count)
    terms = ["Fanscribe", "Celery beat"]
    assert hints == Hints("Fanscribe, Celery beat", "So far so good.", terms)
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


def test_what_came_of_the_prompt_is_told_term_by_term() -> None:
    long = " ".join(["many"] * ROOM)
    assert hint("", ["one", long], None, count).hinted == Hinted(
        method="prompt", applied=["one"], dropped=[long]
    )
    assert hint("a prompt", [], None, count).hinted is None


def test_a_bias_leaves_the_room_to_the_prompt() -> None:
    wanted = Hotwords(terms=[Term(text="Ana")], method="bias")
    hints = hint(" ".join(["word"] * ROOM), [], wanted, count)
    assert (hints.hotwords, hints.prompt_cut) == ("", False)
    assert hints.bias is not None
    hints.bias.note("Anna", "Ana")
    assert hints.hinted == Hinted(
        method="bias", applied=["Ana"], boosted=[Boosted(term="Ana", times=1)]
    )


def test_what_came_of_the_terms_in_the_parts_is_added_up() -> None:
    parts = [
        Hinted(method="bias", applied=["a", "b"], boosted=[Boosted(term=t, times=n)])
        for t, n in [("a", 1), ("b", 2), ("a", 3)]
    ]
    whole = joined(parts)
    assert whole is not None
    assert whole.applied == ["a", "b"]
    assert whole.boosted == [Boosted(term="a", times=4), Boosted(term="b", times=2)]
    assert joined([]) is None
