"""Every command that is written down anywhere is one that exists, with options that exist."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from pages import PAGES, ROOT, blocks, prose, shell_commands
from typer.main import get_command

from services.cli import make_app

ANYTHING = {"FILE…": "demo/sample/1.mp3", "ID=TEXT": "1=text", "…": ""}


def of_pages() -> Iterator[tuple[str, list[str]]]:
    """From shell blocks, and from code inside sentences that is a whole command."""
    for page in PAGES:
        for block in blocks(page, "sh"):
            for words in shell_commands(block.text):
                yield block.place, words
        for text in re.findall(r"`([^`\n]+)`", prose(page)):
            for words in shell_commands(text) if text.startswith(("fanscribe ", "make ")) else []:
                yield page.name, words


def of_compose() -> Iterator[tuple[str, list[str]]]:
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))["services"]
    for name, service in services.items():
        if service["image"].startswith("fanscribe:"):
            yield f"docker-compose.yml: {name}", ["fanscribe", *service["command"]]


def of_dockerfiles() -> Iterator[tuple[str, list[str]]]:
    for path in sorted((ROOT / "deploy" / "docker").glob("Dockerfile.*")):
        text = path.read_text("utf-8")
        found = dict(re.findall(r"^(ENTRYPOINT|CMD) (\[.*\])$", text, re.MULTILINE))
        yield path.name, [*json.loads(found["ENTRYPOINT"]), *json.loads(found["CMD"])]


def of_the_makefile() -> Iterator[tuple[str, list[str]]]:
    text = (ROOT / "Makefile").read_text("utf-8")
    for command in re.findall(r"\$\(BIN\)/(fanscribe .+?)(?: \$\(ARGS\))?$", text, re.MULTILINE):
        yield "Makefile", command.split()


COMMANDS = [*of_pages(), *of_compose(), *of_dockerfiles(), *of_the_makefile()]
OURS = [(place, words) for place, words in COMMANDS if words[0].rpartition("/")[2] == "fanscribe"]
MAKES = [(place, words) for place, words in COMMANDS if words[0] == "make"]


@pytest.fixture(scope="module")
def command_line() -> Any:
    return get_command(make_app())


def parse(command: Any, arguments: list[str]) -> None:
    """Reads the arguments as the command would, down to the last sub-command; runs nothing."""
    context, name = None, "fanscribe"
    while True:
        context = command.make_context(name, list(arguments), parent=context)
        if not hasattr(command, "commands"):
            return
        rest = [*context._protected_args, *context.args]
        if not rest and command.invoke_without_command:
            return
        name, command, arguments = command.resolve_command(context, rest)


def problem(command: Any, arguments: list[str]) -> str:
    """What the command line has against these arguments; empty if nothing."""
    try:
        parse(command, arguments)
    except Exception as error:  # noqa: BLE001  the library's own classes are private
        name = type(error).__name__
        return "" if name == "Exit" else f"{name}: {error}"
    return ""


@pytest.mark.parametrize(("place", "words"), OURS, ids=[" ".join(words) for _, words in OURS])
def test_a_fanscribe_command_can_be_read(
    place: str, words: list[str], command_line: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sentence may name a command without its arguments; a block may not."""
    monkeypatch.chdir(ROOT)
    arguments = [ANYTHING.get(word, word) for word in words[1:]]

    said = problem(command_line, [word for word in arguments if word])

    in_a_sentence = place.endswith(".md")
    if not (in_a_sentence and said.startswith(("NoArgsIsHelpError", "MissingParameter"))):
        assert said == "", place


@pytest.mark.parametrize(("place", "words"), MAKES, ids=[" ".join(words) for _, words in MAKES])
def test_a_make_target_exists(place: str, words: list[str]) -> None:
    targets = re.findall(r"^([a-z-]+):.*##", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)

    named = [word for word in words[1:] if "=" not in word and not word.startswith("-")]
    assert set(named) <= set(targets), place
