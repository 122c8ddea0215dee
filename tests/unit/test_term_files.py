"""Files of terms: plain lists, and tables whose first line names the columns."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.client.term_files import BadTermFile, read_terms, written
from services.model.glossary import Entry

TABLE = (
    "term\tzh\tde\tlanguage\tkeep\tboost\n"
    "# products\n"
    "Fanscribe\t范译\t\t\tyes\t3\n"
    "\n"
    "bank\t银行\tBank\ten\t\t\n"
)


@pytest.fixture
def read(tmp_path: Path):
    def reading(text: str) -> list[Entry]:
        path = tmp_path / "terms.tsv"
        path.write_text(text, "utf-8")
        return read_terms(path)

    return reading


def test_a_table_names_its_columns(read) -> None:
    assert read("\ufeff" + TABLE) == [
        Entry(text="Fanscribe", translations={"zh": "范译"}, keep=True, boost=3),
        Entry(text="bank", translations={"zh": "银行", "de": "Bank"}, language="en"),
    ]


def test_what_is_written_is_read_again(read) -> None:
    for text in (TABLE, "Fanscribe\nCTranslate2\t3\n", "one\ntwo"):
        entries = read(text)
        assert read(written(entries)) == entries
    assert written(read("Fanscribe\nCTranslate2\t3\n")) == "Fanscribe\nCTranslate2\t3"


def test_without_columns_a_line_is_a_term_even_if_it_is_the_word_term(read) -> None:
    assert [entry.text for entry in read("term\nother")] == ["term", "other"]


@pytest.mark.parametrize(
    "text",
    [
        "a\tb",
        "a\t11",
        "a\t2\t3",
        "term\tzh\tzh\n",
        "term\tzh\t\n",
        "term\tzh\n\t字",
        "term\tkeep\na\tmaybe",
    ],
)
def test_a_bad_file_is_refused(read, text) -> None:
    with pytest.raises(BadTermFile):
        read(text)


def test_what_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BadTermFile):
        read_terms(tmp_path / "x")
