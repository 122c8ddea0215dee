"""Every file of the corpus through the real decoder child."""

from __future__ import annotations

from pathlib import Path

import pytest
from corpus import Case, cases
from judging import Verdict, judge
from table import BEGIN, END, EXPECTED, PAGE, table

from whisper_worker.media import Decoder

CASES = list(cases())
# Of what is alike these are enough to see at once; the others are long.
_AT_ONCE = {"wav", "mp3", "m4a", "flac", "opus", "webm", "ts"}
_ALIKE = {"whole", "rate", "channels", "cut off", "garbage", "zeroed", "flipped"}
_judged: dict[int, Verdict] = {}


def _cases() -> list[object]:
    return [
        pytest.param(
            number,
            id=f"{case.kind}-{case.name}",
            marks=[pytest.mark.long] if case.kind in _ALIKE and case.name not in _AT_ONCE else [],
        )
        for number, case in enumerate(CASES)
    ]


def _verdict(number: int, decoder: Decoder, folder: Path) -> Verdict:
    if number not in _judged:
        _judged[number] = judge(CASES[number], decoder, folder)
    return _judged[number]


@pytest.mark.parametrize("number", _cases())
def test_what_has_to_come_of_a_file_comes_of_it(
    one_decoder: Decoder, tmp_path: Path, number: int
) -> None:
    child = one_decoder._child
    verdict = _verdict(number, one_decoder, tmp_path)
    assert verdict.faults == []
    assert one_decoder._child is child  # which no file has ended


def test_there_are_enough_files_of_every_kind() -> None:
    assert len(CASES) >= 120
    assert {case.kind for case in CASES} == EXPECTED.keys()


@pytest.mark.long
def test_the_page_shows_what_comes_of_them(one_decoder: Decoder, tmp_path: Path) -> None:
    def verdict_of(number: int, case: Case) -> tuple[Case, Verdict]:
        folder = tmp_path / str(number)
        folder.mkdir()
        return case, _verdict(number, one_decoder, folder)

    made = table([verdict_of(number, case) for number, case in enumerate(CASES)])
    assert made in PAGE.read_text(encoding="utf-8").split(BEGIN)[1].split(END)[0]
