"""Every page: its links lead somewhere, its blocks can be read, its generated parts are current."""

from __future__ import annotations

import importlib
import json
import re
import subprocess
import sys
import time
import tomllib
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from pages import PAGES, ROOT, blocks, prose, read

from services.model.catalog import WHISPER, Catalog
from services.model.errors import FailureClass
from services.model.job import Stage
from services.model.states import Event, JobState
from services.model.task import TaskState
from services.models_folder import load_catalog
from services.settings import Settings
from services.signing import sign, sign_for_user, verify

DOCS = ROOT / "docs"
# Read by the client and by the tests, so they are no settings of a process.
ASKS_A_STACK = {DOCS / "openai.md", DOCS / "client.md", DOCS / "transcription.md"}
OTHER_VARIABLES = {"FANSCRIBE_URL", "FANSCRIBE_TEST_MONGODB_URL", "FANSCRIBE_TEST_AMQP_URL"}

page_by_page = pytest.mark.parametrize(
    "page", PAGES, ids=[str(page.relative_to(ROOT)) for page in PAGES]
)


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub makes from the headings."""
    headings = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_generated_parts_are_current() -> None:
    done = subprocess.run(
        [sys.executable, "docs/generate.py", "--check"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert (done.returncode, done.stderr) == (0, "")


@page_by_page
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)\s]+)\)", prose(page))

    broken = []
    for link in links:
        target, _, anchor = link.partition("#")
        if "://" in link:
            continue
        path = (page.parent / target).resolve() if target else page
        if not path.exists() or (anchor and anchor not in anchors(path)):
            broken.append(link)
    assert broken == []


@page_by_page
def test_every_json_and_toml_block_can_be_read(page: Path) -> None:
    for block in blocks(page, "json"):
        json.loads(block.text)
    for block in blocks(page, "toml"):
        tomllib.loads(block.text)


@page_by_page
def test_every_python_block_runs(page: Path) -> None:
    """Those that ask a stack are run in test_programs."""
    programs = [] if page in ASKS_A_STACK else blocks(page, "python")
    for block in programs:
        exec(compile(block.text, block.place, "exec"), {})


@page_by_page
def test_every_variable_that_a_page_names_exists(page: Path) -> None:
    known = {f"FANSCRIBE_{name.upper()}" for name in Settings.model_fields} | OTHER_VARIABLES

    assert set(re.findall(r"\bFANSCRIBE_[A-Z_]+\b", read(page))) - known == set()


@page_by_page
def test_every_diagram_begins_with_its_kind(page: Path) -> None:
    kinds = {block.text.split()[0] for block in blocks(page, "mermaid")}

    assert kinds <= {"flowchart", "sequenceDiagram", "stateDiagram-v2"}


# ── completeness ─────────────────────────────────────────────────────────────────────────────


def test_every_setting_has_a_row_that_says_what_it_is() -> None:
    rows = dict(
        re.findall(
            r"^\| `FANSCRIBE_(\w+)` .*\| (.+) \|$", read(DOCS / "configuration.md"), re.MULTILINE
        )
    )

    assert set(rows) == {name.upper() for name in Settings.model_fields}
    assert [name for name, meaning in rows.items() if len(meaning) < 15] == []


def test_every_error_code_of_the_code_is_on_the_errors_page() -> None:
    """Found here by plain text, so that the generator cannot overlook what it does not parse."""
    found = {
        code
        for package in ("services", "task_manager", "whisper_worker", "translator_worker")
        for path in (ROOT / package).rglob("*.py")
        if not {"client", "standalone"} & set(path.relative_to(ROOT).parts)
        for code in re.findall(r'\bcode="([a-z_]+)"', path.read_text("utf-8"))
    }
    page = read(DOCS / "errors.md")

    assert found
    assert [code for code in sorted(found) if f"`{code}`" not in page] == []


@pytest.mark.parametrize("name", [*JobState, *Event, *TaskState, *FailureClass])
def test_every_state_event_and_failure_class_is_explained(name: str) -> None:
    assert f"`{name}`" in read(DOCS / "states.md")


@pytest.mark.parametrize("name", [*FailureClass, *Stage])
def test_who_writes_a_worker_finds_every_class_and_stage(name: str) -> None:
    page = read(DOCS / "callbacks.md")

    assert f"`{name}`" in page or f'"const": "{name}"' in page


def test_the_schema_file_knows_every_message_of_every_call(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.syspath_prepend(DOCS)
    schemas = json.loads(read(DOCS / "callbacks.schema.json"))["$defs"]
    calls = importlib.import_module("generate").CALLS

    assert {model.__name__ for pair in calls.values() for model in pair} <= set(schemas)
    assert [name for name in schemas if f"### {name}\n" not in read(DOCS / "callbacks.md")] == []


def test_the_signature_on_the_callbacks_page_is_the_one_that_the_manager_checks() -> None:
    (block,) = blocks(DOCS / "callbacks.md", "python")
    names: dict[str, object] = {}
    exec(block.text, names)
    signature = names["signature"]
    assert callable(signature)
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": "1700000000",
        "webhook-signature": signature("sécret", "msg_1", 1700000000, '{"a":"é"}'.encode()),
    }

    verify("sécret", headers, '{"a":"é"}', now=1700000100.0)

    assert headers == sign("sécret", message_id="msg_1", at=1700000000.0, body='{"a":"é"}')


def test_the_receiver_on_the_webhooks_page_takes_what_is_sent() -> None:
    names: dict[str, Any] = {}
    for block in blocks(DOCS / "webhooks.md", "python"):
        exec(block.text, names)
    body = '{"type":"webhook.ping","data":{"文":"é"}}'
    headers = sign_for_user([names["SECRET"]], message_id="msg_1", at=time.time(), body=body)

    with TestClient(names["app"]) as client:
        statuses = [
            client.post("/fanscribe", content=text, headers=headers).status_code
            for text in (body, body, body + " ")
        ]

    assert statuses == [204, 204, 401]
    assert names["seen"] == {"msg_1"}
    assert names["verify"](names["SECRET"], headers, body.encode())
    assert not names["verify"](names["SECRET"], headers, b"{}")


def test_the_catalog_file_on_the_models_page_is_taken(tmp_path: Path) -> None:
    (block,) = blocks(DOCS / "models.md", "toml")
    path = tmp_path / "models.toml"
    path.write_text(block.text, encoding="utf-8")

    catalog = load_catalog(Settings(catalog_file=path, models_dir=tmp_path))

    swiss, large = catalog.entry("whisper-swiss"), catalog.entry("large-v3")
    assert swiss
    assert large
    assert (swiss.languages, large.memory_mb) == (["de", "fr", "it"], 4000)


def test_the_catalog_files_on_the_page_of_translation_models_are_taken(tmp_path: Path) -> None:
    path = tmp_path / "models.toml"
    sample = "\n".join(block.text for block in blocks(DOCS / "translation-models.md", "toml"))
    path.write_text(sample, encoding="utf-8")

    settings = Settings(catalog_file=path, models_dir=tmp_path)
    english = load_catalog(settings).translator("en", "de")
    japanese = load_catalog(settings.model_copy(update={"allow_noncommercial": True}))

    assert english
    assert (english.name, english.family) == ("opus-mt-en-de", "marian")
    assert load_catalog(settings).translator("de", "ja") is None
    assert japanese.translator("de", "ja")
    assert load_catalog(settings).translator("de", "zh", ["de-zh-by-english"])


def test_the_models_page_shows_where_a_model_is_looked_for(tmp_path: Path) -> None:
    text = read(DOCS / "models.md")
    (listing,) = blocks(DOCS / "models.md", "text")
    for line in listing.text.splitlines():
        path = tmp_path / line.removeprefix("~/.local/share/fanscribe/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()

    offered = load_catalog(Settings(data_dir=tmp_path)).offered

    assert [entry.name for entry in offered] == ["small", "opencc"]  # which needs no folder
    table = text.partition("every name that faster-whisper knows:")[2].partition("Their sizes")[0]
    known = Catalog(WHISPER)
    named = {known.transcriber(name).name for name in re.findall("`([^`]+)`", table)}
    assert named == set(known.entries)


# ── pages that come in a fixed shape ─────────────────────────────────────────────────────────


def test_the_two_readmes_say_the_same() -> None:
    """As many headings of each level, the same blocks, the same links in the same order."""
    english, chinese = ROOT / "README.md", ROOT / "README.zh-CN.md"

    def shape(page: Path) -> tuple[list[str], list[str], list[str], int]:
        return (
            re.findall(r"^#+ ", prose(page), re.MULTILINE),
            [block.text for block in blocks(page)],
            re.findall(r"\]\(([^)]+)\)", prose(page)),
            len(re.findall(r"^- ", prose(page), re.MULTILINE)),
        )

    assert shape(english) == shape(chinese)


def test_the_first_screen_shows_the_two_commands() -> None:
    first = read(ROOT / "README.md").splitlines()[:12]

    assert [line.split("#")[0].strip() for line in first if line.startswith("make ")] == [
        "make demo",
        "make test",
    ]


def test_a_decision_is_short_numbered_and_listed() -> None:
    decisions = sorted((DOCS / "decisions").glob("0*.md"))
    index = read(DOCS / "decisions" / "README.md")

    assert [page.name[:4] for page in decisions] == [
        f"{number:04}" for number in range(1, len(decisions) + 1)
    ]
    for page in decisions:
        text = read(page)
        title = text.splitlines()[0].removeprefix("# ").partition(": ")
        assert len(text.splitlines()) <= 40, page.name
        assert title[0] == page.name[:4]
        assert f"[{title[0]}]({page.name}) | {title[2]} |" in index
        assert [*re.findall(r"^## (\w+)$", text, re.MULTILINE)] == [
            "Context",
            "Decision",
            "Consequences",
        ]


def test_contributing_stays_short() -> None:
    assert len(read(ROOT / "CONTRIBUTING.md").splitlines()) < 150


def test_the_changelog_names_the_version_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    newest = re.search(r"^## \[(.+?)\] - (\S+)$", read(ROOT / "CHANGELOG.md"), re.MULTILINE)

    assert newest
    assert newest[1] == project["version"]


def test_every_page_can_be_reached_from_the_index() -> None:
    index = read(DOCS / "README.md")
    pages = {page.name for page in DOCS.glob("*.md")} - {"README.md"}

    assert [name for name in sorted(pages) if f"]({name})" not in index] == []


def test_every_folder_of_tests_is_in_the_contributors_table() -> None:
    named = set(re.findall(r"^\| `tests/(\w+)` ", read(ROOT / "CONTRIBUTING.md"), re.MULTILINE))
    folders = {path.parent.name for path in (ROOT / "tests").glob("*/test_*.py")}

    assert folders - named == set()
