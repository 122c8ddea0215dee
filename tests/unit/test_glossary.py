"""The rules of one pair of languages, and what came of them, told in few words."""

from __future__ import annotations

from services.model.glossary import SHOWN, Entry, Glossary, Rule, joined, size_of, used


def test_a_pair_has_its_own_rules() -> None:
    glossary = Glossary(
        terms=[
            Entry(text="Gift", language="en", translations={"de": "Geschenk"}),
            Entry(text="Gift", language="de", translations={"en": "poison"}),
            Entry(text="Fanscribe", translations={"zh": "范译"}, keep=True),
            Entry(text="heard only"),
        ]
    )
    kept = Rule(term="Fanscribe")
    assert glossary.rules("en", "de") == [Rule(term="Gift", put="Geschenk"), kept]
    assert glossary.rules("de", "en") == [Rule(term="Gift", put="poison"), kept]
    assert glossary.rules("fr", "zh") == [Rule(term="Fanscribe", put="范译")]


def test_the_size_of_rules_is_that_of_their_texts() -> None:
    assert size_of([Rule(term="ab", put="范"), Rule(term="c")]) == 6


def test_uses_are_counted_and_joined() -> None:
    one = used([(["a", "a"], []), (["b"], ["a"]), ([], [])])
    assert one.model_dump() == {
        "sentences": 2,
        "applied": [{"term": "a", "times": 2}, {"term": "b", "times": 1}],
        "missed": [{"term": "a", "times": 1}],
        "more": 0,
    }
    both = joined([one, one])
    assert both is not None
    assert (both.sentences, both.applied[0].times, both.missed[0].times) == (4, 4, 2)
    assert joined([]) is None


def test_however_many_terms_there_are_few_are_told() -> None:
    many = used([([str(n) for n in range(SHOWN + 5)], [])])
    assert (len(many.applied), many.more) == (SHOWN, 5)
    both = joined([many, many])
    assert both is not None
    assert (len(both.applied), both.more) == (SHOWN, 10)
