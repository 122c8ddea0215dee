"""The demo grammar says one thing in four languages, and keeps some sentences for measuring."""

from demo.grammar import LANGUAGES, is_held_out, sentences


def test_a_text_in_one_language_has_one_counterpart_in_each_other() -> None:
    drawn = sentences(20_000, seed=1, held_out=False)
    for language in LANGUAGES:
        counterparts: dict[str, dict[str, str]] = {}
        for sentence in drawn:
            known = counterparts.setdefault(sentence.text(language), dict(sentence.texts))
            assert known == dict(sentence.texts)


def test_the_same_seed_draws_the_same_distinct_sentences() -> None:
    first, second = (sentences(500, seed=5, held_out=True) for _ in range(2))
    assert first == second
    assert len({sentence.text("en") for sentence in first}) == 500
    assert sentences(500, seed=6, held_out=True) != first


def test_no_sentence_is_both_trained_on_and_held_out() -> None:
    trained = {s.text("en") for s in sentences(20_000, seed=2, held_out=False)}
    measured = {s.text("en") for s in sentences(2_000, seed=2, held_out=True)}
    assert not trained & measured
    assert all(map(is_held_out, measured))
    assert not any(map(is_held_out, trained))


def test_every_sentence_starts_large_and_ends_with_the_full_stop_of_its_language() -> None:
    for sentence in sentences(300, seed=3, held_out=False):
        assert all(sentence.text(language).endswith("。") for language in ("zh", "ja"))
        for language in ("en", "de"):
            text = sentence.text(language)
            assert text[0].isupper()
            assert text.endswith(".")
            assert text.count(".") == 1
            assert not any(letter.isdigit() for letter in text)
