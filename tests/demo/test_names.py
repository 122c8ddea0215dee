"""Made-up names: the same for a seed, never both trained on and measured, each of known pieces."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demo.names import is_held_out, may_be_part, named_sentences, names
from demo.train.tokens import Vocabulary


def test_the_same_seed_makes_the_same_distinct_names() -> None:
    first, second = (names(300, seed=4, held_out=False) for _ in range(2))
    assert first == second
    assert len(set(first)) == 300
    assert names(300, seed=5, held_out=False) != first


def test_no_name_is_both_trained_on_and_held_out() -> None:
    trained = names(3000, seed=6, held_out=False)
    measured = names(600, seed=6, held_out=True)
    assert not set(trained) & set(measured)
    assert all(map(is_held_out, measured))
    assert not any(map(is_held_out, trained))


@pytest.mark.parametrize("held_out", [True, False])
def test_each_sentence_has_its_own_name_in_it_once(held_out: bool) -> None:
    drawn = named_sentences(60, seed=7, held_out=held_out)
    assert drawn == named_sentences(60, seed=7, held_out=held_out)
    assert len({name for _, name in drawn}) == 60
    for text, name in drawn:
        assert f" {text}".count(f" {name}") == 1
        assert is_held_out(name) is held_out


@given(st.integers(0, 10_000), st.booleans(), st.data())
def test_every_stretch_of_a_name_behind_its_space_is_known_as_one(
    seed: int, held_out: bool, data: st.DataObject
) -> None:
    written = f" {names(1, seed=seed, held_out=held_out)[0]}"
    start = data.draw(st.integers(0, len(written) - 1))
    end = data.draw(st.integers(start + 1, len(written)))
    if written[start].isupper():
        start -= 1  # no token begins with a large letter whose space is in another
    assert may_be_part(written[start:end])


@pytest.mark.parametrize("piece", ["", "tion", "Bado", " bado", " aB", "ck", ".", " 1", "钥"])
def test_what_no_name_is_written_with_is_no_part_of_one(piece: str) -> None:
    assert not may_be_part(piece)


def test_every_token_of_every_name_has_a_row_of_its_own(shipped_vocabulary: Vocabulary) -> None:
    used = set(shipped_vocabulary.used)
    for held_out in (True, False):
        for name in names(1500, seed=8, held_out=held_out):
            assert used.issuperset(shipped_vocabulary.encode(f" {name}, ")), name
