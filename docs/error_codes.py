"""Every code that a caller or a task's history may show, with its words."""  # noqa: INP001

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from pathlib import Path

from services.model import errors
from task_manager import problems

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("services", "task_manager", "whisper_worker", "translator_worker")
# Told to the person at the command line only, never to a caller of the API.
LOCAL = ("services/client", "services/standalone")


def refusals() -> dict[str, type[errors.RequestRefused]]:
    """The classes of refusals by name."""
    return {
        name: kind
        for name, kind in vars(errors).items()
        if isinstance(kind, type) and issubclass(kind, errors.RequestRefused)
    }


def meaning(kind: type) -> str:
    """The first paragraph of a docstring on one line."""
    return " ".join((inspect.getdoc(kind) or "").split("\n\n")[0].split())


def refused() -> dict[tuple[str, str], str]:
    """(status, code) → message of every refusal that says more than its class."""
    found = {(str(s), code): text for s, (code, text) in problems._REFUSALS.items()}  # noqa: SLF001
    for call in _calls():
        named = _name(call)
        if named in refusals() and (code := _keyword_code(call)):
            found[str(refusals()[named].status), code] = _message(call, code)
        elif named == "render" and len(call.args) >= 3:
            status, code = _constant(call.args[0]), _constant(call.args[1])
            if status and code:
                found[status, code] = _message(call, code)
    for kind in _classes():
        if code := _class_code(kind):
            bases = [base.id for base in kind.bases if isinstance(base, ast.Name)]
            status = next((str(refusals()[b].status) for b in bases if b in refusals()), "")
            found[status, code] = " ".join((ast.get_docstring(kind) or "").split())
    for code in {*problems._CODES.values(), "wrong_type"}:  # noqa: SLF001
        found["422", code] = "The field breaks a rule of its schema; the message says which."
    own = {kind.code for kind in refusals().values()}
    return {key: text for key, text in found.items() if key[0] and key[1] not in own}


def failed() -> dict[str, set[str]]:
    """code → failure classes of everything that a job's history may show."""
    found: dict[str, set[str]] = {}
    for call in _calls():
        given = [*call.args, *(word.value for word in call.keywords)]
        classes = [
            errors.FailureClass[value.attr].value
            for value in given
            if isinstance(value, ast.Attribute) and value.attr in errors.FailureClass.__members__
        ]
        codes = [_keyword_code(call), *map(_constant, call.args)]
        codes = [code for code in codes if re.fullmatch(r"[a-z_]+", code)]
        if classes and codes:
            found.setdefault(codes[0], set()).add(classes[0])
    return found


def _trees() -> Iterator[ast.Module]:
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            if not path.relative_to(ROOT).as_posix().startswith(LOCAL):
                yield ast.parse(path.read_text(encoding="utf-8"))


def _calls() -> Iterator[ast.Call]:
    for tree in _trees():
        yield from (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def _classes() -> Iterator[ast.ClassDef]:
    for tree in _trees():
        yield from (node for node in ast.walk(tree) if isinstance(node, ast.ClassDef))


def _name(call: ast.Call) -> str:
    return call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")


def _constant(node: ast.expr) -> str:
    """A literal as text, empty for anything else."""
    literal = isinstance(node, ast.Constant) and isinstance(node.value, str | int)
    return str(node.value) if literal else ""  # type: ignore[attr-defined]


def _keyword_code(call: ast.Call) -> str:
    return next((_constant(word.value) for word in call.keywords if word.arg == "code"), "")


def _class_code(kind: ast.ClassDef) -> str:
    for node in kind.body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "code":
            return _constant(node.value)
    return ""


def _message(call: ast.Call, code: str) -> str:
    """The words of a call's message, `…` where something is put in."""
    for node in call.args:
        if isinstance(node, ast.JoinedStr):
            parts = [v.value if isinstance(v, ast.Constant) else "…" for v in node.values]
            return " ".join("".join(map(str, parts)).split())
        text = _constant(node)
        if text and text != code and not text.isdigit():
            return text
    return "…"
