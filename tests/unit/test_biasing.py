"""Where terms occur, what they are worth, and where they may have been misheard."""

from __future__ import annotations

import math

import pytest

from services.model.hotwords import Hotwords, Term
from whisper_worker.biasing import MOST_TRIED, Bias, bias_of


def count(text: str) -> int:
    return len(text.split())


def bias(*terms: str | Term, boost: float = 2.0) -> Bias:
    named = [Term(text=term) if isinstance(term, str) else term for term in terms]
    return bias_of(Hotwords(terms=named, method="bias", boost_factor=boost), count)


def tried(text: str, *terms: str) -> list[str]:
    return [swap.applied(text) for swap in bias(*terms).swaps(text)]


@pytest.mark.parametrize(
    ("term", "text", "times"),
    [
        ("Ana", "Ana saw ana, and Anabel.", 2),
        ("Ana", "Banana", 0),
        ("Vel Mori", "We met vel  mori there.", 1),
        ("C++", "He writes C++.", 1),
        ("头孢", "他吃了头孢和头孢。", 2),
        ("Fanscribe", "用Fanscribe做的", 1),
        ("カナ", "アルカナです", 1),
    ],
)
def test_a_term_counts_where_it_stands_as_a_word(term: str, text: str, times: int) -> None:
    assert bias(term).worth(text) == pytest.approx(times * math.log(2) * count(term))


def test_a_boost_multiplies_the_likelihood_of_each_token() -> None:
    both = bias(Term(text="Vel Mori", boost=4.0), "Ana", boost=1.5)
    assert both.worth("Vel Mori and Ana") == pytest.approx(2 * math.log(4) + math.log(1.5))


def test_a_boost_of_one_is_none() -> None:
    assert bias("Ana", boost=1.0).terms == []


def test_what_sounds_alike_may_have_been_a_term_the_likeliest_first() -> None:
    found = tried("Veldo saw the Weldon book.", "Veldon")
    assert found[:2] == ["Veldon saw the Weldon book.", "Veldo saw the Veldon book."]


def test_a_term_may_have_been_heard_as_more_or_fewer_words() -> None:
    assert "Meet Kandori today." in tried("Meet can dori today.", "Kandori")
    assert "Meet Kan Dori today." in tried("Meet candori today.", "Kan Dori")


def test_characters_without_spaces_are_looked_at_one_by_one() -> None:
    assert "他吃了头孢。" in tried("他吃了头包。", "头孢")


def test_a_text_without_anything_alike_is_left_alone() -> None:
    assert tried("The guest learns German in the village.", "Xuquz", "头孢") == []


def test_no_term_is_put_where_one_stands_nor_over_the_end_of_a_clause() -> None:
    assert tried("Veldon.", "Veldon", "Veldan") == []
    assert all(", " in text for text in tried("can, dori", "candori"))


def test_only_so_many_are_tried_and_always_the_same() -> None:
    names = [f"Veldo{letter}" for letter in "abcdefghijklmnopqrstuvwxyz"]
    text = " ".join(f"Veldu{letter}" for letter in "abcdefghij")
    assert len(tried(text, *names)) == MOST_TRIED
    assert tried(text, *names) == tried(text, *names)


def test_what_a_bias_has_changed_is_counted_by_term() -> None:
    known = bias("Ana", "Veldon")
    known.note("Anna saw Weldon.", "Ana saw Veldon.")
    known.note("Anna", "Ana")
    known.note("Ana", "Ana")
    assert known.times == {"Ana": 2, "Veldon": 1}
