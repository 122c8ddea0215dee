"""The readers of packs in Python and in JavaScript: the same questions about the same packs, as
hostile as they come, made by the code that makes those of the server."""

from __future__ import annotations

import base64
import gzip
import importlib.util
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from pages import ROOT, blocks

from benchmarks.pack_sizes import CASES, row
from fanscribe import Fanscribe, Item
from services.model.codebook import BOOK, CODEBOOK_VERSION
from services.model.pack import coded, dumps
from tests.unit.hostile import NAMES, Made, packs

NODE = shutil.which("node")
PYTHON_READER = ROOT / "examples" / "read_pack.py"
NODE_READER = ROOT / "examples" / "read_pack.mjs"
PAGE = ROOT / "docs" / "pack.md"

# Asks the reader as a page would: what only Node has is gone before it is loaded, as far as Node
# itself can do without.
ASKING = f"""
import {{ createInterface }} from "node:readline";
const {{ stdin, stdout }} = process;
for (const name of ["process", "setImmediate"]) delete globalThis[name];
const {{ openPack, BOOK, Missing }} = await import("{NODE_READER.as_uri()}");
const bytes = (text) => Uint8Array.from(atob(text), (each) => each.charCodeAt(0));
function cellOf(pack, cell) {{
  try {{
    const text = pack.text(...cell) ?? null;
    const told = typeof text === "function" ? "a function" : text; // JSON would make it null
    return [told, pack.version(...cell), pack.isMissing(...cell)];
  }} catch (error) {{
    return [error.constructor.name, pack.version(...cell), pack.isMissing(...cell)];
  }}
}}
async function answer({{ raw, cells, book }}) {{
  try {{
    const pack = await openPack(bytes(raw), book ? new Map(book) : BOOK);
    const found = cells.map((cell) => cellOf(pack, cell));
    return {{ languages: pack.languages, complete: pack.complete, cells: found, book: [...BOOK] }};
  }} catch (error) {{
    return {{ refused: error.constructor.name, message: error.message }};
  }}
}}
for await (const line of createInterface({{ input: stdin }}))
  stdout.write(JSON.stringify(await answer(JSON.parse(line))) + "\\n");
"""

Reader = Callable[..., dict[str, Any]]
Book = list[tuple[int, str]] | None


@pytest.fixture(scope="module")
def python_reader() -> Reader:
    spec = importlib.util.spec_from_file_location("read_pack", PYTHON_READER)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)

    def cell_of(pack: Any, cell: list[str]) -> list[Any]:
        try:
            text = pack.text(*cell)
        except module.Missing:
            text = "Missing"
        except KeyError:
            text = None
        return [text, pack.version(*cell), pack.is_missing(*cell)]

    def ask(raw: bytes, cells: list[Any] | None = None, book: Book = None) -> dict[str, Any]:
        try:
            pack = module.Pack(raw, dict(book) if book else module.BOOK)
        except module.UnreadablePack as error:
            return {"refused": "UnreadablePack", "message": str(error)}
        found = [cell_of(pack, cell) for cell in cells or []]
        told = {"languages": pack.languages, "complete": pack.complete, "cells": found}
        return {**told, "book": [list(entry) for entry in module.BOOK.items()]}

    return ask


@pytest.fixture(scope="module")
def node_reader() -> Iterator[Reader]:
    if NODE is None:
        pytest.skip("there is no node here")
    process = subprocess.Popen(
        [NODE, "--input-type=module", "--eval", ASKING],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8",
    )  # fmt: skip
    assert process.stdin
    assert process.stdout
    asked, told = process.stdin, process.stdout

    def ask(raw: bytes, cells: list[Any] | None = None, book: Book = None) -> dict[str, Any]:
        question = {"raw": base64.b64encode(raw).decode(), "cells": cells or [], "book": book}
        asked.write(json.dumps(question) + "\n")
        asked.flush()
        answer: dict[str, Any] = json.loads(told.readline())
        return answer

    with process:
        yield ask
        asked.close()


@pytest.fixture(scope="module", params=["python", "node"])
def reader(request: pytest.FixtureRequest) -> Reader:
    found: Reader = request.getfixturevalue(f"{request.param}_reader")
    return found


def raw_of(made: Made) -> bytes:
    return dumps(made.document).encode()


def questions(made: Made) -> dict[tuple[str, str, str], list[Any]]:
    """Each cell of a pack, and some that nobody asked for, with what a reader must tell of it:
    text, version, whether it is missing."""
    names = ["nobody", "__proto__", "constructor", "toString", ""]
    texts = {name for each in made.cells.values() for name in each}
    wanted: dict[tuple[str, str, str], list[Any]] = {
        (language, name, source): [None, 0, False]
        for language in [*made.cells, "xx", "__proto__", "1"]
        for name in [*texts, *names]
        for source in ("A", "T", "constructor")
    }
    for language, each in made.cells.items():
        for name, sources in each.items():
            for source, text in sources.items():
                wanted[language, name, source] = [text, 0, False]
    for cell in made.missing:
        wanted[cell] = ["Missing", 0, True]
    for language, name, source, version in made.versions:
        wanted[language, name, source][1] = version
    return wanted


@given(made=packs())
@settings(deadline=None)
def test_a_reader_finds_each_cell_of_any_pack_and_no_other(reader: Reader, made: Made) -> None:
    wanted = questions(made)
    for raw in (raw_of(made), gzip.compress(raw_of(made))):
        told = reader(raw, [list(cell) for cell in wanted])
        assert dict(zip(wanted, told["cells"], strict=True)) == wanted
        assert sorted(told["languages"]) == sorted(made.cells)
        assert told["complete"] is not bool(made.missing)


def test_a_reader_keeps_all_odd_ids_apart(reader: Reader) -> None:
    made = Made({"zh": {name: {"A": f"text of {n}"} for n, name in enumerate(NAMES)}})
    told = reader(raw_of(made), [["zh", name, "A"] for name in NAMES])
    assert [text for text, _, _ in told["cells"]] == [f"text of {n}" for n in range(len(NAMES))]


def test_languages_come_in_the_order_of_the_task_where_a_language_keeps_it(
    python_reader: Reader, node_reader: Reader
) -> None:
    raw = raw_of(Made({"ja": {}, "de": {}, "zh": {}}))
    assert python_reader(raw)["languages"] == ["ja", "de", "zh"]
    assert node_reader(raw)["languages"] == ["zh", "ja", "de"]  # by number


def test_the_reader_for_browsers_names_nothing_that_only_node_has() -> None:
    reader, _, program = NODE_READER.read_text("utf-8").partition("if (globalThis.process?.")
    assert program
    words = set(re.findall(r"\w+", reader))
    assert words & {"Buffer", "process", "require", "import", "global", "__dirname"} == set()


def test_the_code_book_of_a_reader_is_the_published_one(reader: Reader) -> None:
    assert reader(raw_of(Made()))["book"] == [list(entry) for entry in BOOK.items()]


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"schema": 2}, "The pack has schema 2; this reader knows 1."),
        (
            {"codebook": 7, "data": {"1": {}, "102": {}}},
            "languages of code book 7 that this reader",
        ),
    ],
)
def test_a_newer_pack_is_refused_with_what_it_takes(
    reader: Reader, changed: dict[str, Any], words: str
) -> None:
    document = {**coded({"zh": {}}, []), **changed}
    told = reader(dumps(document).encode())
    assert told["refused"] == "UnreadablePack"
    assert words in told["message"]


def test_a_newer_code_book_can_be_given_and_is_not_needed_for_older_languages(
    reader: Reader,
) -> None:
    newer = {**coded({"zh": {"1": {"A": "你好。"}}}, []), "codebook": CODEBOOK_VERSION + 1}
    assert reader(dumps(newer).encode())["languages"] == ["zh"]
    newer["data"]["102"] = {"1": {"A": "Saluton."}}
    book = [*BOOK.items(), (102, "eo")]
    assert reader(dumps(newer).encode(), [["eo", "1", "A"]], book)["cells"] == [
        ["Saluton.", 0, False]
    ]


@pytest.mark.parametrize(
    "raw",
    [b"", b"{}", b"[]", b"null", b'{"zh":{"1":{"A":"x"}}}', b"\xff\xfe", b"\x1f\x8b", b"{",
     gzip.compress(b"{}" * 99, mtime=0)[:-9]],
)  # fmt: skip
def test_what_is_no_coded_pack_is_said_to_be_none(reader: Reader, raw: bytes) -> None:
    told = reader(raw)
    assert told["refused"] == "UnreadablePack"
    assert "fetch the result with form=coded" in told["message"]


# ── as programs, and as the page shows them ──────────────────────────────────────────────────


@pytest.fixture(scope="module")
def saved(embedded_stack: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pack that was fetched as curl fetches it, zipped and not unzipped."""
    with Fanscribe(embedded_stack) as client:
        text = Item(text="Hello. " * 99, text_id="__proto__", language="en")
        task = client.submit(text, targets=["zh", "en"])
        client.wait(task)
    url = f"{embedded_stack}/v1/tasks/{task.id}/result?form=coded"
    path = tmp_path_factory.mktemp("pack") / "pack.json.gz"
    with httpx.stream("GET", url, headers={"accept-encoding": "gzip"}) as answer:
        path.write_bytes(b"".join(answer.iter_raw()))
    return path


@pytest.mark.parametrize("reader_of", [PYTHON_READER, NODE_READER], ids=["python", "node"])
def test_a_reader_looks_up_one_cell_at_the_command_line(saved: Path, reader_of: Path) -> None:
    program = sys.executable if reader_of == PYTHON_READER else NODE
    if program is None:
        pytest.skip("there is no node here")

    def run(*words: str) -> tuple[int, str]:
        done = subprocess.run(
            [program, str(reader_of), str(saved), *words],
            capture_output=True, encoding="utf-8", check=False,
        )  # fmt: skip
        return done.returncode, done.stdout.strip()

    assert run() == (0, "zh en")
    assert run("en", "__proto__", "T") == (0, ("Hello. " * 99).strip())
    assert run("en", "constructor", "T")[0] == 1


@pytest.mark.skipif(NODE is None, reason="there is no node here")
def test_the_javascript_of_the_page_runs() -> None:
    assert NODE
    (block,) = blocks(PAGE, "js")
    done = subprocess.run(
        [NODE, "--input-type=module", "--eval", block.text],
        cwd=ROOT, capture_output=True, encoding="utf-8", check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "こんにちは。\n"), done.stderr


def test_the_sizes_on_the_page_are_those_of_today() -> None:
    """What zlib makes of them may differ by its version, so only plain sizes are compared."""
    page = PAGE.read_text("utf-8")
    for case in CASES:
        plain = row(case).split("|")[:5]  # up to the sizes of what is not zipped
        assert "|".join([*plain, ""]) in page
