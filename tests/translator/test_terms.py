"""Terms: where they stand, what stands for them in the translation, and what came of them."""

from __future__ import annotations

from itertools import pairwise

import pytest
from driving import translate
from hypothesis import given
from hypothesis import strategies as st
from test_protected import SpeakingEngine
from test_protecting import hostile

from services.model.glossary import Rule
from services.model.stages import Place, TranslateSpec
from services.model.transcript import Transcript
from services.spans import spans_in
from translator_worker.engines import Row, Translation
from translator_worker.engines.ctranslate2 import CTranslate2Engine
from translator_worker.engines.protected import IN_PIECES, TERM_MISSING, ProtectedEngine
from translator_worker.glossary import Terms, missed

FANSCRIBE = Rule(term="Fanscribe", put="范译")


def found(text: str, *rules: Rule) -> list[str]:
    return [text[span.start : span.end] for span in Terms(rules, [text]).spans_in(text)]


@pytest.mark.parametrize(
    ("text", "terms", "expected"),
    [
        ("Fanscribe is no fanscribes, FANSCRIBE.", ["Fanscribe"], ["Fanscribe", "FANSCRIBE"]),
        ("a machine  learning machine", ["machine", "machine learning"],
         ["machine  learning", "machine"]),
        ("the Bank of England", ["bank", "Bank of England"], ["Bank of England"]),
        ("bank of Englands", ["bank", "Bank of England"], ["bank"]),
        ("我们用机器学习和Fanscribe做事", ["机器学习", "fanscribe"], ["机器学习", "Fanscribe"]),
        ("판스크라이브는 좋다", ["판스크라이브"], ["판스크라이브"]),
        ("C++ and .NET in C++20", ["C++", ".net"], ["C++", ".NET", "C++"]),
        ("हिन्दी है", ["हिन्द", "दी"], []),
        ("हिन्दीक हिन्दी है", ["हिन्दी"], ["हिन्दी"]),
        ("ein Café, cafés", ["CAFÉ"], ["Café"]),
        ("x_term term_x term", ["term"], ["term"]),
        ("3D and 13D", ["3d"], ["3D"]),
        (".*", ["a", ".*"], [".*"]),
    ],
)  # fmt: skip
def test_a_term_is_found_as_whole_words_the_longest_first(text, terms, expected) -> None:
    assert found(text, *(Rule(term=term) for term in terms)) == expected


def test_a_term_may_mind_its_capitals_and_then_goes_first() -> None:
    rules = [Rule(term="us", put="uns"), Rule(term="US", put="USA", case_sensitive=True)]
    spans = Terms(rules, ["US us Us"]).spans_in("US us Us")
    assert [span.put for span in spans] == ["USA", "uns", "uns"]
    assert found("us", rules[1]) == []


def test_no_term_is_looked_for_inside_of_a_link() -> None:
    text = "Fanscribe at https://fanscribe.example/ and {fanscribe}"
    spans = Terms([FANSCRIBE], [text]).spans_in(text, spans_in(text))
    assert [span.start for span in spans] == [0]


@given(hostile, st.lists(st.text(min_size=1, max_size=5), max_size=5))
def test_whatever_the_terms_are_spans_lie_apart_and_hold_one(text, terms) -> None:
    spans = Terms([Rule(term=term) for term in terms], [text]).spans_in(text)
    assert all(one.end <= two.start for one, two in pairwise(spans))
    assert all(span.start < span.end and span.term in terms for span in spans)


def test_what_is_missing_is_counted() -> None:
    rules = [FANSCRIBE, Rule(term="GPU", put="Grafikkarte")]
    text = "Fanscribe, Fanscribe and a GPU"
    spans = Terms(rules, [text]).spans_in(text)
    assert missed(spans, "范译, 范译 und eine grafikkarte") == []
    assert missed(spans, "范译 und Grafikkarten") == ["Fanscribe"]
    assert missed(spans, "") == ["Fanscribe", "Fanscribe", "GPU"]


# ── through an engine ────────────────────────────────────────────────────────────────────────


def made_by(answer, text: str, *rules: Rule, masks: bool = True, target: str = "zh") -> Translation:
    row = Row(text, "en", target, Terms(rules, [text]))
    engine = ProtectedEngine(SpeakingEngine(answer), masks=masks)
    return engine.translate([row], beam_size=None)[0]


def test_a_term_is_put_where_the_model_carries_its_placeholder() -> None:
    made = made_by(lambda _: "欢迎使用 [1] 。", "Welcome to fanscribe.", FANSCRIBE)
    assert (made.text, made.flags) == ("欢迎使用范译。", ["seen"])


def test_a_term_that_stays_is_written_as_it_stands() -> None:
    made = made_by(lambda seen: seen, "FANSCRIBE rocks", Rule(term="Fanscribe"))
    assert made.text == "FANSCRIBE rocks"


def test_a_term_that_a_model_loses_comes_back_in_pieces() -> None:
    made = made_by(lambda _: "好", "Welcome to Fanscribe today.", FANSCRIBE)
    assert (made.text, made.flags) == ("好范译好", ["seen", IN_PIECES])


def test_a_sentence_that_is_one_term_needs_no_model() -> None:
    made = made_by(lambda seen: f"{seen}?!", "Fanscribe.", FANSCRIBE)
    assert (made.text, made.flags) == ("范译.", [])


def test_a_number_of_a_term_is_not_looked_for() -> None:
    made = made_by(lambda seen: seen, "On Windows 95.", Rule(term="Windows 95", put="视窗"))
    assert (made.text, made.flags) == ("On 视窗.", ["seen"])


def test_a_chat_model_is_believed_and_what_it_misses_is_told() -> None:
    rules = [FANSCRIBE, Rule(term="GPU", put="显卡")]
    made = made_by(lambda _: "范译和图形处理器", "Fanscribe on a GPU", *rules, masks=False)
    assert (made.text, made.flags) == ("范译和图形处理器", ["seen", TERM_MISSING])
    terms = Terms(rules, ["Fanscribe on a GPU"])
    assert terms.judged("Fanscribe on a GPU", made.text) == (["Fanscribe"], ["GPU"])


def test_a_real_model_that_babbles_still_has_every_term(ending_model) -> None:
    engine = ProtectedEngine(
        CTranslate2Engine(ending_model, device="cpu", compute_type="int8"), masks=True
    )
    text = "The red Fanscribe house is here, and Fanscribe again."
    row = Row(text, "en", "zh", Terms([FANSCRIBE], [text]))
    (made,) = engine.translate([row], beam_size=1)
    assert made.text.count("范译") >= 2


def test_the_stage_tells_what_came_of_the_glossary(settings_are, work_of) -> None:
    settings_are(stub_models=True)
    place = Place(key="outputs/x", url="file:///nowhere")
    spec = TranslateSpec(
        model="stub-nmt", source_language="en", target_language="de",
        text="Fanscribe is good. So is Fanscribe.\nNobody else.",
        glossary=[Rule(term="Fanscribe", put="Fächerschrift"), Rule(term="absent")],
        output=place, output_text=place,
    )  # fmt: skip
    result = translate(spec, work_of(spec))
    made = Transcript.model_validate_json(result.transcript.inline)
    assert made.text.startswith("[de] Fächerschrift is good. [de] So is Fächerschrift.")
    assert result.glossary.model_dump() == {
        "sentences": 2, "applied": [{"term": "Fanscribe", "times": 2}], "missed": [], "more": 0
    }  # fmt: skip
    without = spec.model_copy(update={"glossary": []})
    assert translate(without, work_of(without)).glossary is None
