"""The programs on the page of OpenAI's routes, run against a running stack as they stand there."""

from __future__ import annotations

import pytest
from pages import ROOT, blocks
from replay import SHOWN_AT

PAGE = ROOT / "docs" / "openai.md"


def test_every_program_of_the_page_runs(
    embedded_stack: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    programs = list(blocks(PAGE, "python"))
    names: dict[str, object] = {}
    for block in programs:
        exec(block.text.replace(SHOWN_AT, embedded_stack), names)
        assert capsys.readouterr().out.strip(), block.place
    names["client"].close()
    assert len(programs) > 3
