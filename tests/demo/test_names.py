"""Made-up names: the same for a seed, never both trained on and measured, each of two tokens."""

import pytest

from demo import speech
from demo.names import is_held_out, named_sentences, names, sisters
from demo.train.tokens import Vocabulary


def test_the_same_seed_makes_the_same_distinct_names() -> None:
    first, second = (names(300, seed=4, held_out=False) for _ in range(2))
    assert first == second
    assert len(set(first)) == 300
    assert names(300, seed=5, held_out=False) != first


def test_no_name_is_both_trained_on_and_held_out() -> None:
    trained = names(1200, seed=6, held_out=False)
    measured = names(300, seed=6, held_out=True)
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


def test_no_two_names_that_are_drawn_together_sound_the_same() -> None:
    drawn = names(300, seed=9, held_out=True)
    assert not any(set(sisters(name)) & set(drawn) for name in drawn)


def test_most_names_have_sisters_that_are_spelt_otherwise_and_are_theirs_too() -> None:
    drawn = names(1000, seed=10, held_out=False)
    with_sisters = [name for name in drawn if sisters(name)]
    assert len(with_sisters) > 700
    for name in with_sisters:
        assert name not in sisters(name)
        assert all(name in sisters(sister) for sister in sisters(name))


def test_names_that_are_sisters_sound_the_same_in_every_accent() -> None:
    accents = {voice.name: voice for voice in speech.voices("en", held_out=False)}
    for name in [name for name in names(40, seed=11, held_out=True) if sisters(name)]:
        for voice in accents.values():
            spoken = {
                tuple(sound.name for sound in speech.pronounce(each, "en", voice).phonemes)
                for each in (name, *sisters(name))
            }
            assert len(spoken) == 1, (name, sisters(name))


def test_more_names_than_there_are_are_refused() -> None:
    with pytest.raises(ValueError, match="sounds"):
        names(10_000, seed=1, held_out=True)


def test_each_name_is_two_tokens_that_have_rows_of_their_own(
    shipped_vocabulary: Vocabulary,
) -> None:
    used = set(shipped_vocabulary.used)
    for name in [*names(1200, seed=8, held_out=False), *names(300, seed=8, held_out=True)]:
        tokens = shipped_vocabulary.encode(f" {name},")
        assert len(tokens) == 3, name
        assert used.issuperset(tokens), name
