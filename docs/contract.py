"""The API as clients know it, in `openapi.json`, and the callbacks as workers know them, in
`callbacks.schema.json`: says what differs from them today, and stores that.

`python docs/contract.py` lists the differences; with `--store` they become the contract, and those
of the API stand as lines in `api-changelog.md`. What breaks a client, or a worker or manager of
the release before, is stored only with `--breaking` as well.
"""  # noqa: INP001  a script beside its pages, not a package

from __future__ import annotations

import json
import re
import sys
import tempfile
import tomllib
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from compatibility import Change, changes
from generate import schema_file

from services.settings import Settings
from task_manager.app import build

DOCS = Path(__file__).resolve().parent
STORED = DOCS / "openapi.json"
CHANGELOG = DOCS / "api-changelog.md"
CALLBACKS = DOCS / "callbacks.schema.json"
_MARK = re.compile(r"<!-- contract \w* -->")
_HEADINGS = {True: "### Breaks clients", False: "### Added or eased"}


def present() -> dict[str, Any]:
    """What a manager of today says at /openapi.json, one that asks for keys."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data_dir=Path(folder), stub_models=True, api_key="any")
        application = build(settings)
        document = application.public.openapi()
        application.store.close()
    document["info"]["version"] = _version()
    return document


def both_ways(shapes: str) -> dict[str, Any]:
    """The shapes of callbacks as routes that take and answer them, for either side may be the
    older one."""
    known = json.loads(shapes)["$defs"]
    paths = {}
    for name in known:
        content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{name}"}}}
        body, answers = {"required": True, "content": content}, {"200": {"content": content}}
        route = {"operationId": name, "requestBody": body, "responses": answers}
        paths[f"callbacks: {name}"] = {"post": route}
    named = {name: {"title": name, **shape} for name, shape in known.items()}
    return {"paths": paths, "components": {"schemas": named}}


def text_of(document: dict[str, Any]) -> str:
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


def mark_of(text: str) -> str:
    """What binds the changelog to the contract that its newest lines lead to."""
    return f"<!-- contract {sha256(text.encode()).hexdigest()[:16]} -->"


def with_lines(changelog: str, found: Sequence[Change], version: str) -> str:
    """The changelog with these changes under the heading of that version, which is its newest."""
    heading = f"## {version}\n"
    if heading not in changelog:
        first = changelog.find("\n## ") + 1 or len(changelog)
        changelog = f"{changelog[:first]}{heading}\n{changelog[first:]}"
    for breaks in (False, True):
        lines = "".join(f"- {change}\n" for change in found if change.breaks is breaks)
        if lines:
            changelog = _under(changelog, heading, f"{_HEADINGS[breaks]}\n", lines)
    return changelog


def _under(changelog: str, heading: str, subheading: str, lines: str) -> str:
    """After the lines that stand there; the subheading is made where it is missing."""
    start = changelog.index(heading) + len(heading)
    end = changelog.find("\n## ", start) + 1 or len(changelog)
    section = changelog[start:end]
    if subheading in section:
        before, _, after = section.partition(f"{subheading}\n")
        there = re.match(r"(- .*\n)*", after)
        assert there
        section = f"{before}{subheading}\n{there[0]}{lines}{after[there.end() :]}"
    else:
        section = f"\n{subheading}\n{lines}{section}"
    return changelog[:start] + section + changelog[end:]


def _version() -> str:
    project = tomllib.loads((DOCS.parent / "pyproject.toml").read_text("utf-8"))["project"]
    return str(project["version"])


def store(document: dict[str, Any], found: Sequence[Change]) -> None:
    text = text_of(document)
    STORED.write_text(text, encoding="utf-8")
    changelog = with_lines(CHANGELOG.read_text("utf-8"), found, _version())
    CHANGELOG.write_text(_MARK.sub(mark_of(text), changelog), encoding="utf-8")


def main(arguments: list[str]) -> int:
    """0 if API and callbacks are as they are stored (or was stored now), else 1."""
    document, shapes = present(), schema_file()
    found = changes(json.loads(STORED.read_text("utf-8")), document)
    told = changes(both_ways(CALLBACKS.read_text("utf-8")), both_ways(shapes))
    for change in [*found, *told]:
        sys.stdout.write(f"{'BREAKS  ' if change.breaks else 'new     '}{change}\n")
    if "--store" not in arguments:
        same = not found and not told
        sys.stdout.write("No program notices a difference to what is stored.\n" if same else "")
        return 0 if same else 1
    if any(change.breaks for change in [*found, *told]) and "--breaking" not in arguments:
        sys.stderr.write("Nothing was stored: a client or a worker of before would break.\n")
        return 1
    store(document, found)
    CALLBACKS.write_text(shapes, encoding="utf-8")
    sys.stdout.write("Stored in docs/openapi.json; look over docs/api-changelog.md.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
