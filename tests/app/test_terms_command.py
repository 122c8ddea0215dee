"""`fanscribe terms` and `submit --hotwords` against a running manager."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest


@pytest.fixture
def terms(fanscribe: Callable[..., str]) -> Callable[..., str]:
    return partial(fanscribe, "terms")


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "names.txt"
    path.write_text("# products\nFanscribe\n\nCTranslate2\t3\n", "utf-8")
    return str(path)


def test_a_list_is_added_shown_changed_and_removed(terms, file: str, tmp_path: Path) -> None:
    head, line = terms("add", "products", file).splitlines()
    assert head.split() == ["list", "name", "terms", "revision", "changed", "(UTC)"]
    list_id, *about = line.split()
    assert about[:3] == ["products", "2", "1"]
    assert terms("show", list_id) == "Fanscribe\nCTranslate2\t3\n"

    other = tmp_path / "other.txt"
    other.write_text("Nivolumab", "utf-8")
    terms("change", list_id, str(other))
    shown = json.loads(terms("show", list_id, "--json"))
    assert (shown["revision"], [term["text"] for term in shown["terms"]]) == (2, ["Nivolumab"])

    assert terms("remove", list_id) == ""
    assert json.loads(terms("list", "--json")) == []


def test_a_task_takes_the_terms_of_a_file_or_of_a_list(
    terms, fanscribe, file: str, manager
) -> None:
    terms("add", "products", file)
    text = ("submit", "--text", "1=Hello.", "--from", "en", "--to", "en", "--json")

    by_file = json.loads(
        fanscribe(*text, "--hotwords", file, "--hotword-method", "bias", "--boost", "2")
    )
    by_list = json.loads(fanscribe(*text, "--hotwords", "products"))

    first, second = (manager.task(task["id"])["options"]["hotwords"] for task in (by_file, by_list))
    assert [term["text"] for term in first["terms"]] == ["Fanscribe", "CTranslate2"]
    assert (first["method"], first["boost_factor"], first["taken_from"]) == ("bias", 2.0, "")
    assert second["terms"] == first["terms"]
    assert second["method"] == "prompt"
    assert second["taken_from"].startswith("tl_")


def test_a_task_takes_the_translations_of_files_and_lists(
    terms, fanscribe, tmp_path: Path, manager
) -> None:
    table = tmp_path / "table.tsv"
    table.write_text("term\tde\tkeep\nbank\tUfer\t\nFanscribe\t\tyes\n", "utf-8")
    terms("add", "products", str(table))
    listed = json.loads(terms("list", "--json"))[0]
    assert terms("show", listed["id"]) == table.read_text("utf-8")

    told = fanscribe(
        "submit", "--text", "1=Hello.", "--from", "en", "--to", "de", "--json",
        "--glossary", str(table), "--glossary", "products",
    )  # fmt: skip

    glossary = manager.task(json.loads(told)["id"])["options"]["glossary"]
    assert [term["translations"] for term in glossary["terms"]] == [{"de": "Ufer"}, {}]
    assert glossary["taken_from"] == [f"{listed['id']}@1"]


@pytest.mark.parametrize("line", ["a\tb", "a\t11", "a\t0.5"])
def test_a_file_with_a_bad_boost_is_refused_before_anything_is_sent(
    terms, line: str, tmp_path: Path
) -> None:
    path = tmp_path / "bad.txt"
    path.write_text(line, "utf-8")
    terms("add", "products", str(path), code=1)


def test_a_boost_without_terms_is_refused(fanscribe) -> None:
    fanscribe("submit", "--text", "1=a", "--from", "en", "--to", "de", "--boost", "2", code=1)
