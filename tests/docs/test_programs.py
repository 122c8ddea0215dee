"""The programs on pages that ask a stack, run against a running one as they stand there."""

from __future__ import annotations

import pytest
from pages import ROOT, blocks
from replay import SHOWN_AT


@pytest.mark.parametrize(
    ("page", "fewest"), [("openai.md", 4), ("client.md", 7), ("transcription.md", 2)]
)
def test_every_program_of_the_page_runs(
    embedded_stack: str,
    page: str,
    fewest: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("FANSCRIBE_URL", embedded_stack)
    programs = list(blocks(ROOT / "docs" / page, "python"))
    names: dict[str, object] = {}
    for block in programs:
        exec(block.text.replace(SHOWN_AT, embedded_stack), names)
        assert capsys.readouterr().out.strip(), block.place
    names["client"].close()
    assert len(programs) >= fewest
