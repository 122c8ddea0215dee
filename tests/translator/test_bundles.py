"""Jobs that share batches come out as they would alone, and each ends by itself."""

from __future__ import annotations

from itertools import cycle, islice

import pytest
from driving import Turns, run
from test_translate import spec_of, transcript_in

from demo.grammar import LANGUAGES, sentences
from services.model.errors import FailureClass, JobFailed, LeaseLost
from services.model.stages import TranslateResult
from services.model.transcript import Body
from services.worker.leases import Released
from translator_worker import batches
from translator_worker.batches import MOST_ROWS

HELD_OUT = sentences(40, seed=31, held_out=True)
PAIRS = [(one, two) for one in LANGUAGES for two in LANGUAGES if one != two]


@pytest.fixture
def stub_models(settings_are) -> None:
    settings_are(stub_models=True)


@pytest.fixture
def demo_models(settings_are) -> None:
    settings_are(demo_models=True)


@pytest.fixture
def works_of(work_of):
    """The attempts of texts in English for the stub, by number."""

    def make(*texts: str):
        return [
            work_of(spec_of(text=text), text_id=str(n), job=f"j{n}") for n, text in enumerate(texts)
        ]

    return make


def ended(told) -> dict[str, object]:
    """How each job ended, by its id, in the order in which that was told."""
    return {one.work.grant.job: one.ended for outcomes in told for one in outcomes}


def texts_in(outcomes: dict[str, object]) -> dict[str, str]:
    return {
        job: result.text.inline
        for job, result in outcomes.items()
        if isinstance(result, TranslateResult)
    }


def the_same(result: TranslateResult) -> TranslateResult:
    return result.model_copy(update={"engine_seconds": 0.0})


@pytest.mark.usefixtures("demo_models")
@pytest.mark.parametrize("beam_size", [1, 4])
def test_jobs_of_all_languages_come_out_of_a_bundle_exactly_as_alone(work_of, beam_size) -> None:
    works = []
    for number, (source, target) in enumerate(islice(cycle(PAIRS), len(HELD_OUT))):
        several = HELD_OUT[number : number + 1 + number % 3]
        spec = spec_of(
            text="\n".join(each.text(source) for each in several),
            model="nmt-demo",
            source_language=source,
            target_language=target,
            beam_size=beam_size,
        )
        works.append(work_of(spec, job=f"j{number}"))
    turns: Turns = []
    together = ended(run(works, turns))
    for work in works:
        work.memory.clear()
    alone = {job: result for work in works for job, result in ended(run([work])).items()}
    assert list(together) == [work.grant.job for work in works]
    assert {job: the_same(result) for job, result in together.items()} == {
        job: the_same(result) for job, result in alone.items()
    }
    assert max(map(len, turns)) > len(PAIRS)


def test_jobs_of_a_model_of_a_catalog_file_share_their_batches(
    settings_are, tmp_path, ending_model, work_of
) -> None:
    catalog = tmp_path / "catalog.toml"
    catalog.write_text(
        '[[model]]\nname = "tiny-nmt"\nkind = "translate"\nengine = "ctranslate2"\n'
        f'location = "{ending_model}"\nlanguages = ["en", "zh", "de"]\n'
    )
    settings_are(catalog_file=catalog)
    works = [
        work_of(spec_of(text="The house.", model="tiny-nmt", target_language=target), job=target)
        for target in ("zh", "de")
    ]
    turns: Turns = []
    assert list(ended(run(works, turns))) == ["zh", "de"]
    assert 2 in map(len, turns)


@pytest.mark.usefixtures("stub_models")
def test_a_bundle_is_told_of_as_its_jobs_end(works_of) -> None:
    works = works_of("One. " * (MOST_ROWS - 1), "Two. Three. Four.", "Five.")
    told = [[one.work.grant.job for one in outcomes] for outcomes in run(works)]
    assert told == [["j0"], ["j1", "j2"]]
    assert works[1].fractions == [1 / 3]


@pytest.mark.usefixtures("stub_models")
def test_each_job_has_its_share_of_a_turn(works_of) -> None:
    turns: Turns = []
    list(run(works_of("One.", "The same and the same. " * 3), turns))
    [shared] = [turn for turn in turns if len(turn) == 2]
    short, long = shared.values()
    assert short + long == pytest.approx(1.0)
    assert long > 3 * short


@pytest.mark.usefixtures("stub_models")
def test_only_jobs_of_one_beam_size_are_searched_together(work_of) -> None:
    works = [
        work_of(spec_of(text="One.", beam_size=beam), job=f"j{n}")
        for n, beam in enumerate((1, 1, 4))
    ]
    turns: Turns = []
    outcomes = ended(run(works, turns))
    assert [len(turn) for turn in turns if len(turn) > 1] == [2]
    assert texts_in(outcomes) == {f"j{n}": "[zh] One." for n in range(3)}


@pytest.mark.usefixtures("stub_models")
def test_what_waits_too_long_for_its_turn_goes_back_to_others(work_of, monkeypatch) -> None:
    monkeypatch.setattr(batches, "HOLD_S", 0.0)
    works = [
        work_of(spec_of(text="One.", beam_size=beam), job=f"j{n}")
        for n, beam in enumerate((1, 1, 2, 3))
    ]

    told = ended(run(works))

    assert texts_in(told) == {f"j{n}": "[zh] One." for n in range(2)}
    assert [type(told[f"j{n}"]) for n in (2, 3)] == [Released] * 2


@pytest.mark.usefixtures("stub_models")
@pytest.mark.parametrize("at", [2, 3])
def test_a_cancel_drops_the_rows_of_that_job_alone(works_of, at) -> None:
    works = works_of("One. " * 100, "Two. " * 100, "Three. " * 100)
    works[1].stop_at, works[1].stop_with = at, LeaseLost("cancelled")
    outcomes = ended(run(works))
    assert isinstance(outcomes["j1"], LeaseLost)
    texts = texts_in(outcomes)
    assert [texts[job].count("]") for job in ("j0", "j2")] == [100, 100]
    assert texts["j2"] == "[zh] Three." * 100


@pytest.mark.usefixtures("stub_models")
def test_an_input_that_cannot_be_read_fails_its_job_alone(works_of, work_of) -> None:
    broken = spec_of(text=None).model_copy(update={"transcript": Body(inline="{")})
    works = [*works_of("One.", "Two."), work_of(broken, job="broken")]
    outcomes = ended(run([works[2], works[0], works[1]]))
    assert isinstance(outcomes["broken"], ValueError)
    assert texts_in(outcomes) == {"j0": "[zh] One.", "j1": "[zh] Two."}


@pytest.mark.usefixtures("stub_models")
def test_where_a_batch_fails_only_the_job_that_is_to_blame_fails(works_of) -> None:
    outcomes = ended(run(works_of("One.", "This is a stub-fail.", "Three.", "")))
    assert isinstance(outcomes.pop("j1"), RuntimeError)
    assert texts_in(outcomes) == {"j0": "[zh] One.", "j2": "[zh] Three.", "j3": ""}


@pytest.mark.usefixtures("stub_models")
def test_a_language_that_fails_leaves_its_neighbours_whole(work_of) -> None:
    works = [
        work_of(spec_of(text="One.", target_language=target), text_id="fail-de", job=target)
        for target in ("zh", "de", "ja")
    ]
    outcomes = ended(run(works))
    failed = outcomes.pop("de")
    assert isinstance(failed, JobFailed)
    assert failed.failure_class is FailureClass.PERMANENT
    assert texts_in(outcomes) == {"zh": "[zh] One.", "ja": "[ja] One."}


@pytest.mark.usefixtures("stub_models")
def test_a_blank_text_goes_through_a_bundle_with_the_others(works_of) -> None:
    outcomes = ended(run(works_of("", "One.", " \n ")))
    assert texts_in(outcomes) == {"j0": "", "j1": "[zh] One.", "j2": ""}
    spoken = {job for job, result in outcomes.items() if transcript_in(result).segments}
    assert spoken == {"j1"}


@pytest.mark.usefixtures("stub_models")
def test_a_long_sentence_has_a_batch_to_itself(works_of) -> None:
    turns: Turns = []
    outcomes = ended(run(works_of("One.", "word " * 6000, "Three."), turns))
    assert sorted(outcomes) == ["j0", "j1", "j2"]
    assert all(len(turn) == 1 for turn in turns)
