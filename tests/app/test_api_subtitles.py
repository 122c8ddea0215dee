"""Subtitles over the API: in one language or in two, shaped as asked; odd questions refused."""

from __future__ import annotations

import json

import pytest
from running_manager import Manager, error_of
from typer.testing import CliRunner

from services.cli import make_app
from services.client.client import Fanscribe

TEXT = {"text_id": "1", "text": "Hello.", "language": "en"}


@pytest.fixture
def task(shared: Manager) -> dict:
    item = {"text_id": "1", "audio": shared.upload(), "text": "Ref.", "language": "en"}
    return shared.finished(items=[item], targets=["zh", "de", "en"])


def get(manager: Manager, task: dict, form: str, **query):
    return manager.api.get(f"/v1/tasks/{task['id']}/items/1/subtitles.{form}", params=query)


def test_two_languages_stand_in_one_cue_in_the_order_asked(shared, task) -> None:
    time = "1\n00:00:00,500 --> 00:00:02,500\n"
    for query, lines in (
        ({"language": "zh", "with": "source"}, "[zh] Heard 1.\nHeard 1.\n"),
        ({"with": "zh"}, "Heard 1.\n[zh] Heard 1.\n"),
        ({"language": "zh", "with": "de"}, "[zh] Heard 1.\n[de] Heard 1.\n"),
        ({"language": "de", "with": "en"}, "[de] Heard 1.\nHeard 1.\n"),
    ):
        answer = get(shared, task, "srt", **query)
        assert answer.text == time + lines, answer.text
    assert (
        "<lang en>Heard 1.</lang>"
        in get(shared, task, "vtt", language="zh", **{"with": "source"}).text
    )
    written = get(shared, task, "txt", language="zh", source="T", **{"with": "source"})
    assert written.text == "[zh] Ref.\nRef.\n"


def test_json_tells_the_cues_with_their_speed(shared, task) -> None:
    told = get(shared, task, "json", language="zh", **{"with": "source"}).json()
    (cue,) = told["cues"]
    assert (cue["start"], cue["end"], cue["flags"]) == (0.5, 2.5, [])
    assert cue["texts"] == [
        {"language": "zh", "lines": ["[zh] Heard 1."], "cps": 6.5},
        {"language": "en", "lines": ["Heard 1."], "cps": 4.0},
    ]
    assert told["with"]["text"] == "Heard 1."
    assert get(shared, task, "json", source="T").json()["cues"] is None


def test_each_limit_can_be_asked_for(shared, task) -> None:
    narrow = get(shared, task, "srt", language="zh", max_width=8, max_lines=1).text
    assert narrow.count("-->") == 2
    held = get(shared, task, "srt", min_duration=3, max_duration=5).text
    assert "--> 00:00:03,000" in held  # the audio has no more
    fast = get(shared, task, "json", max_cps=1).json()["cues"][0]
    assert fast["flags"] == ["too_fast"]
    gaps = get(shared, task, "srt", max_width=6, max_lines=1, min_gap=0.25).text
    assert gaps.count("-->") == 2


def test_a_byte_order_mark_comes_if_asked_for_and_never_in_json(shared, task) -> None:
    for form in ("srt", "vtt", "ass", "txt"):
        assert get(shared, task, form, bom=True).content.startswith(b"\xef\xbb\xbf")
        assert not get(shared, task, form).content.startswith(b"\xef\xbb\xbf")
    assert json.loads(get(shared, task, "json", bom=True).content)


@pytest.mark.parametrize(
    ("query", "error"),
    [
        ({"with": "source"}, (422, "same_language", "with")),
        ({"with": "en"}, (422, "same_language", "with")),
        ({"language": "zh", "with": "zh"}, (422, "same_language", "with")),
        ({"language": "en", "with": "source"}, (422, "same_language", "with")),
        ({"with": "fr"}, (404, "not_a_target", "with")),
        ({"with": ""}, (422, "unknown_language", "with")),
        ({"with": "no such"}, (422, "unknown_language", "with")),
        ({"max_width": "3"}, (422, "out_of_range", "max_width")),
        ({"max_cps": "nan"}, (422, "out_of_range", "max_cps")),
        ({"max_lines": "1_0"}, (422, "invalid", "max_lines")),
        ({"min_duration": "inf"}, (422, "out_of_range", "min_duration")),
        ({"max_duration": "0.5"}, (422, "out_of_range", "max_duration")),
        ({"min_gap": "-1"}, (422, "out_of_range", "min_gap")),
        ({"min_duration": "3", "max_duration": "2"}, (422, "out_of_order", "min_duration")),
        ({"bom": "perhaps"}, (422, "invalid", "bom")),
    ],
)
def test_what_cannot_be_shown_is_refused(shared, task, query, error) -> None:
    assert error_of(get(shared, task, "srt", **query)) == error


def test_cues_of_a_text_that_nobody_spoke_are_refused_in_two_languages_too(shared) -> None:
    task = shared.finished(items=[TEXT], targets=["zh"])
    answer = get(shared, task, "vtt", language="zh", **{"with": "source"})
    assert error_of(answer)[:2] == (422, "no_times")


def test_the_client_and_the_command_line_ask_for_the_same(manager, fanscribe) -> None:
    task = manager.finished(items=[{"text_id": "1", "audio": manager.upload()}], targets=["zh"])
    with Fanscribe(manager.url) as client:
        text = client.subtitles(
            task["id"], "1", "vtt", language="zh", with_="source", max_width=10, min_gap=0.1,
            min_duration=0.5, max_duration=6, bom=True,
        )  # fmt: skip
    assert text.startswith("\ufeffWEBVTT")
    assert "<lang en>Heard 1.</lang>" in text
    said = fanscribe("subtitles", task["id"], "1", "--language", "zh", "--with", "source")
    assert said.endswith("[zh] Heard 1.\nHeard 1.\n")
    narrow = fanscribe(
        "subtitles", task["id"], "1", "--max-width", "6", "--max-lines", "1", "--max-cps", "9"
    )
    assert narrow.count("-->") == 2


def test_the_command_line_asks_for_each_of_them(shared, task, monkeypatch) -> None:
    monkeypatch.setenv("FANSCRIBE_URL", shared.url)

    def printed(*words: str) -> str:
        done = CliRunner().invoke(make_app(), ["subtitles", task["id"], "1", *words])
        assert done.exit_code == 0, done.output
        return done.stdout

    held = printed("--min-duration", "1.5", "--max-duration", "2", "--min-gap", "1", "--bom")
    query = {"min_duration": 1.5, "max_duration": 2, "min_gap": 1, "bom": True}
    assert held == get(shared, task, "srt", **query).text
    assert held.startswith("\ufeff")
    narrow = printed("--max-width", "8", "--max-lines", "1", "--max-cps", "9", "--language", "zh")
    query = {"max_width": 8, "max_lines": 1, "max_cps": 9, "language": "zh"}
    assert narrow == get(shared, task, "srt", **query).text
    written = printed("--source", "T", "--format", "txt", "--with", "de")
    assert written == get(shared, task, "txt", source="T", **{"with": "de"}).text
    assert written == "Ref.\n[de] Ref.\n"
