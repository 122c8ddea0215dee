"""The first article of the Declaration of Human Rights, by language: one or two sentences."""

from __future__ import annotations

from pathlib import Path

_LINES = Path(__file__).with_suffix(".tsv").read_text("utf-8").splitlines()
ARTICLE = {language: sentences for language, *sentences in (line.split("\t") for line in _LINES)}
