"""The stored contract: the API is as `docs/openapi.json` says, and the changelog of the API tells
how it came to be so."""

from __future__ import annotations

import importlib
import json
import sys

import pytest
from pages import ROOT

DOCS = ROOT / "docs"
sys.path.insert(0, str(DOCS))
contract = importlib.import_module("contract")
compatibility = importlib.import_module("compatibility")
Change = compatibility.Change

STORED = contract.STORED.read_text("utf-8")
CHANGELOG = contract.CHANGELOG.read_text("utf-8")
HOW = "run `python docs/contract.py --store` and look over the lines that it writes"


@pytest.fixture(scope="module")
def present() -> dict[str, object]:
    return contract.present()


def test_nothing_of_the_api_changed_in_a_way_that_breaks_a_client(present) -> None:
    found = compatibility.changes(json.loads(STORED), present)

    assert [str(change) for change in found if change.breaks] == []


def test_what_was_added_to_the_api_is_stored_and_in_its_changelog(present) -> None:
    found = compatibility.changes(json.loads(STORED), present)

    assert [str(change) for change in found if not change.breaks] == [], HOW
    assert contract.text_of(present) == STORED, HOW


def test_the_newest_lines_of_the_changelog_lead_to_the_stored_contract() -> None:
    """Whoever changes one without the other, or joins two branches, stores it once more."""
    assert contract.mark_of(STORED) in CHANGELOG, HOW


def test_the_newest_version_in_the_changelog_of_the_api_is_that_of_the_project(present) -> None:
    version = present["info"]["version"]

    assert CHANGELOG.partition("\n## ")[2].startswith(f"{version}\n")


def test_nothing_of_the_callbacks_changed_in_a_way_that_breaks_the_release_before() -> None:
    """That a default changes breaks it too: what stands at its default is not sent."""
    stored, shapes = contract.CALLBACKS.read_text("utf-8"), contract.schema_file()
    found = compatibility.changes(contract.both_ways(stored), contract.both_ways(shapes))

    assert [str(change) for change in found if change.breaks] == []
    assert stored == shapes, HOW


def test_a_default_of_the_wire_that_changes_is_told() -> None:
    shapes = contract.schema_file()
    other = json.loads(shapes)
    other["$defs"]["PrepareSpec"]["properties"]["vad"]["default"] = False

    found = compatibility.changes(contract.both_ways(shapes), contract.both_ways(json.dumps(other)))

    said = "`POST callbacks: PrepareSpec`: the request, `vad`: what holds where it is left out"
    assert f"{said}: True → False." in [str(change) for change in found if change.breaks]


ADDED = Change("GET /v1/more", "new route.", breaks=False)
BROKEN = Change("GET /v1/old", "the route is gone.", breaks=True)


def test_changes_stand_under_the_heading_of_their_version_and_kind() -> None:
    first = contract.with_lines("# Log\n\n## 1.0.0\n\nThe first.\n", [ADDED], "1.0.0")
    second = contract.with_lines(first, [BROKEN, ADDED], "1.0.0")

    assert first == (
        "# Log\n\n## 1.0.0\n\n### Added or eased\n\n- `GET /v1/more`: new route.\n\nThe first.\n"
    )
    assert second.count("- `GET /v1/more`: new route.\n") == 2
    assert second.index("### Breaks clients") < second.index("### Added or eased")


def test_a_new_version_stands_above_the_one_before() -> None:
    log = contract.with_lines("# Log\n\n## 1.0.0\n\nThe first.\n", [BROKEN], "2.0.0")

    assert log.index("## 2.0.0") < log.index("the route is gone") < log.index("## 1.0.0")
    assert log.endswith("## 1.0.0\n\nThe first.\n")


def test_what_breaks_a_client_is_not_stored_by_the_way(monkeypatch, tmp_path, capsys) -> None:
    stored, document = tmp_path / "openapi.json", json.loads(STORED)
    stored.write_text(STORED, encoding="utf-8")
    log = tmp_path / "api-changelog.md"
    log.write_text(CHANGELOG, encoding="utf-8")
    del document["paths"]["/v1/codebook"]
    monkeypatch.setattr(contract, "STORED", stored)
    monkeypatch.setattr(contract, "CHANGELOG", log)
    monkeypatch.setattr(contract, "present", lambda: document)

    assert contract.main(["--store"]) == 1
    assert stored.read_text("utf-8") == STORED
    assert "BREAKS  `GET /v1/codebook`: the route is gone." in capsys.readouterr().out

    assert contract.main(["--store", "--breaking"]) == 0
    assert "- `GET /v1/codebook`: the route is gone.\n" in log.read_text("utf-8")
    assert contract.main([]) == 0
