"""Fills the generated blocks of the pages in this folder from the code they speak of.

A block stands between `<!-- begin NAME -->` and `<!-- end NAME -->`; everything else on a page is
written by hand. `python docs/generate.py` rewrites the blocks, `--check` only says which are old.
"""  # noqa: INP001  a script beside its pages, not a package

from __future__ import annotations

import ast
import inspect
import json
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, get_args

import client_methods
import decoder_options
import error_codes
import language_tables
from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from services import settings
from services.model import messages, retry, states
from services.settings import Settings

DOCS = Path(__file__).resolve().parent
ROOT = DOCS.parent
CALLS: dict[str, tuple[type[BaseModel], type[BaseModel]]] = {
    "register": (messages.Register, messages.Registered),
    "node-beat": (messages.NodeBeat, messages.Registered),
    "claim": (messages.Claim, messages.Granted),
    "beat": (messages.Beat, messages.BeatAnswer),
    "progress": (messages.Progress, messages.LeaseState),
    "finish": (messages.Finish, messages.FinishAnswer),
    "translations/lookup": (messages.Lookup, messages.Recalled),
    "translations/keep": (messages.Keep, messages.Kept),
    "results/lookup": (messages.LookBack, messages.Earlier),
}


def table(head: list[str], rows: list[list[str]]) -> str:
    """A Markdown table; a bar inside a cell is escaped."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(c.replace("|", "\\|") for c in row) + " |" for row in lines)


# ── states.md ────────────────────────────────────────────────────────────────────────────────


def state_diagram() -> str:
    """Every arrow that changes the state, for mermaid."""
    arrows: dict[tuple[str, str], list[str]] = {}
    for (state, event), arrow in states.TABLE.items():
        if arrow.moves and arrow.to is not state:
            arrows.setdefault((state, arrow.to), []).append(event)
    lines = [f"    {a} --> {b}: {', '.join(events)}" for (a, b), events in arrows.items()]
    ends = [f"    {state} --> [*]" for state in states.JobState if state.ended]
    return "\n".join(["```mermaid", "stateDiagram-v2", "    [*] --> waiting", *lines, *ends, "```"])


def state_table() -> str:
    """One row an event, one column a state: where it leads, and the answer if it is not `ok`."""
    rows = []
    for event in states.Event:
        row = [f"`{event}`"]
        for state in states.JobState:
            arrow = states.TABLE[state, event]
            text = f"**{arrow.to}**" if arrow.moves else "–"
            answer = "" if arrow.answer is states.Answer.OK else f" ({arrow.answer})"
            row.append(text + answer)
        rows.append(row)
    return table(["", *map(str, states.JobState)], rows)


def state_events() -> str:
    """What each event means, from the comment on its line."""
    found = re.findall(r'= "(\w+)"  # (.+)', inspect.getsource(states.Event))
    return table(["event", "what happened"], [[f"`{name}`", text] for name, text in found])


def state_notes() -> str:
    """The comments in the table, each with the rows that stand under it."""
    source = inspect.getsource(states)
    body = source[source.index("TABLE: dict") : source.index("\ndef arrow")]
    letters = dict(zip("WRSDC", states.JobState, strict=True))
    lines: list[str] = []
    for line in body.splitlines():
        if comment := re.match(r"    # (.+)", line):
            lines.append(f"- {comment[1]}")
        elif row := re.match(r"    \(_(\w), _E\.(\w+)\): Arrow\(_(\w)", line):
            start, event, end = letters[row[1]], row[2].lower(), letters[row[3]]
            lines.append(f"  - `{start}` + `{event}` → `{end}`")
    return "\n".join(lines)


def retry_tiers() -> str:
    """The retry table as numbers."""
    rows = [
        [
            f"`{failure}`",
            str(tier.retries),
            _duration(tier.delay_s) if tier.retries else "never",
            "yes" if tier.other_node else "",
            "yes" if tier.safer else "",
        ]
        for failure, tier in retry.TIERS.items()
    ]
    head = ["class", "retries", "after", "another node preferred", "with safer options"]
    return table(head, rows)


def _duration(seconds: float) -> str:
    if seconds == 0:
        return "at once"
    return f"{seconds / 60:g} min" if seconds >= 60 else f"{seconds:g} s"


# ── configuration.md ─────────────────────────────────────────────────────────────────────────


def configuration() -> str:
    """Every setting under the heading it has in the source."""
    source = inspect.getsource(settings)
    headings = {
        number: match[1]
        for number, line in enumerate(source.splitlines(), 1)
        if (match := re.match(r"    # ── (.+?) ─+$", line))
    }
    sections: dict[str, list[list[str]]] = {title: [] for title in headings.values()}
    for name, line, about in documented_fields():
        title = next(text for at, text in reversed(headings.items()) if at < line)
        row = [f"`FANSCRIBE_{name.upper()}`", _default(name), _values(name), about]
        sections[title].append(row)
    head = ["variable", "default", "values", "meaning"]
    return "\n\n".join(
        f"## {title[0].upper()}{title[1:]}\n\n{table(head, rows)}"
        for title, rows in sections.items()
    )


def documented_fields() -> Iterator[tuple[str, int, str]]:
    """Each field of Settings with its line and the docstring under it, on one line."""
    tree = ast.parse(inspect.getsource(settings))
    body = next(n.body for n in tree.body if isinstance(n, ast.ClassDef) and n.name == "Settings")
    for field, after in zip(body, [*body[1:], None], strict=True):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
            said = after.value if isinstance(after, ast.Expr) else None
            text = said.value if isinstance(said, ast.Constant) else ""
            yield field.target.id, field.lineno, " ".join(str(text).split())


def _default(name: str) -> str:
    value = Settings.model_fields[name].default
    if hasattr(value, "get_secret_value"):
        value = value.get_secret_value()
    if value is None or value == "":
        return ""
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return f"`{text.replace(str(Path.home()), '~')}`"


def _values(name: str) -> str:
    kind = Settings.model_fields[name].annotation
    choices = get_args(kind)
    if choices and type(None) not in choices:
        return ", ".join(f"`{choice}`" for choice in choices)
    words = {"bool": "true, false", "int": "whole number", "float": "number", "str": "text"}
    plain = choices[0] if choices else kind
    label = getattr(plain, "__name__", str(plain))
    return words.get(label, {"SecretStr": "secret", "Path": "path"}.get(label, label))


# ── callbacks.md ─────────────────────────────────────────────────────────────────────────────


def callback_calls() -> str:
    """The calls with the shapes that go and come."""
    rows = [
        [f"`POST /callbacks/v1/{name}`", _link(asked), _link(answer)]
        for name, (asked, answer) in CALLS.items()
    ]
    return table(["call", "body", "answer"], rows)


def callback_shapes() -> str:
    """Each shape: what it is for, and its JSON Schema."""
    parts = []
    for name, schema in schemas()["$defs"].items():
        about = schema.pop("description", "")
        text = json.dumps(schema, ensure_ascii=False, indent=2)
        parts += [f"### {name}", *([about] if about else []), f"```json\n{text}\n```"]
    return "\n\n".join(parts)


def schemas() -> dict[str, Any]:
    """One JSON Schema document with every shape under `$defs`."""
    models: list[type[BaseModel]] = [messages.Announcement]
    models += [model for pair in CALLS.values() for model in pair]
    wanted: list[tuple[type[BaseModel], JsonSchemaMode]] = [
        (model, "validation") for model in dict.fromkeys(models)
    ]
    _, found = models_json_schema(wanted)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **_untitled(found)}


def _untitled(schema: Any) -> Any:
    """Without the titles, which only repeat the names."""
    if isinstance(schema, list):
        return [_untitled(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        name: _untitled(each)
        for name, each in schema.items()
        if not (name == "title" and isinstance(each, str))
    }


def schema_file() -> str:
    return json.dumps(schemas(), ensure_ascii=False, indent=2) + "\n"


def _link(model: type[BaseModel]) -> str:
    return f"[{model.__name__}](#{model.__name__.lower()})"


# ── errors.md ────────────────────────────────────────────────────────────────────────────────


def error_classes() -> str:
    """The classes of refusals with status, code and what to do."""
    kinds = error_codes.refusals().values()
    rows = [[str(kind.status), f"`{kind.code}`", error_codes.meaning(kind)] for kind in kinds]
    return table(["status", "code", "what it means"], sorted(rows))


def finer_codes() -> str:
    """The finer codes that the code raises, with their words."""
    found = sorted(error_codes.refused().items())
    rows = [[status, f"`{code}`", _plain(message)] for (status, code), message in found]
    return table(["status", "code", "its message"], rows)


def failure_codes() -> str:
    """The codes that a job's history may show."""
    found = sorted(error_codes.failed().items())
    rows = [
        [f"`{code}`", ", ".join(f"`{kind}`" for kind in sorted(kinds))] for code, kinds in found
    ]
    return table(["code", "class"], rows)


def _plain(text: str) -> str:
    """Without what Markdown would take for markup."""
    return text.replace("<", "&lt;").replace("*", "\\*")


# ── client.md ────────────────────────────────────────────────────────────────────────────────


def methods_of_client() -> str:
    """Every method and what it does."""
    return table(["method", "what it does"], client_methods.methods())


# ── transcription.md ─────────────────────────────────────────────────────────────────────────


def decode_options() -> str:
    """Every option of the decoder."""
    return table(["option", "range", "default", "meaning"], decoder_options.options())


def other_names() -> str:
    """Hugging Face's names of them."""
    return table(["name", "meaning"], decoder_options.other_names())


def impossible_options() -> str:
    """What is refused, and why."""
    return table(["option", "refused", "because"], decoder_options.impossible())


BLOCKS: dict[str, Callable[[], str]] = {
    "state-diagram": state_diagram,
    "state-table": state_table,
    "state-events": state_events,
    "state-notes": state_notes,
    "retry-tiers": retry_tiers,
    "configuration": configuration,
    "callback-calls": callback_calls,
    "callback-shapes": callback_shapes,
    "error-classes": error_classes,
    "error-codes": finer_codes,
    "failure-codes": failure_codes,
    "codebook": lambda: table(*language_tables.codebook()),
    "languages": lambda: table(*language_tables.languages()),
    "client-methods": methods_of_client,
    "decode-options": decode_options,
    "other-names": other_names,
    "impossible-options": impossible_options,
    "cue-limits": lambda: table(*language_tables.cue_limits()),
}


def filled(page: str) -> str:
    """The page with every block made anew."""

    def fill(match: re.Match[str]) -> str:
        name = match[1]
        return f"<!-- begin {name} -->\n\n{BLOCKS[name]()}\n\n<!-- end {name} -->"

    return re.sub(r"<!-- begin ([\w-]+) -->.*?<!-- end \1 -->", fill, page, flags=re.DOTALL)


def wanted() -> dict[Path, str]:
    """What every generated file should hold."""
    return {path: filled(path.read_text(encoding="utf-8")) for path in sorted(DOCS.glob("*.md"))}


def main(arguments: list[str]) -> int:
    """0 if everything is current (or was made so), 1 if `--check` found something old."""
    old = [p for p, text in wanted().items() if not p.exists() or p.read_text("utf-8") != text]
    for path in old:
        if "--check" in arguments:
            sys.stderr.write(f"{path.relative_to(ROOT)} is old: run python docs/generate.py\n")
        else:
            path.write_text(wanted()[path], encoding="utf-8")
    return 1 if old and "--check" in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
