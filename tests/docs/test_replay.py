"""The requests on the pages, sent to a running stack: each is answered as its page shows."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
from pages import PAGES, ROOT, blocks, read, shell_commands
from replay import PATIENCE_S, SHOWN_AT, Exchange, compare, exchanges, requests

from services.settings import Settings
from task_manager.app import build

NAMES = {
    **dict.fromkeys(("TASK", "NEW", "NODE", "HOOK", "DELIVERY", "LIST", "ID"), "x"),
    "KEY": "uploads/x",
}
MADE = {"/v1/keys": "ID", "/v1/term-lists": "LIST"}
REPLAYED = [page for page in PAGES if list(exchanges(page))]


def remember(names: dict[str, str], response: httpx.Response) -> None:
    """Answers that name something new tell `$TASK` (the first), `$NEW`, `$KEY`, `$NODE`, `$HOOK`,
    `$DELIVERY`, `$LIST` and `$ID` (of a key)."""
    path = str(response.url.path)
    if path.endswith("/deliveries") and response.is_success:
        for each in response.json()["deliveries"][:1]:
            names["DELIVERY"] = each["id"]
    if path.startswith("/v1/webhooks"):
        if response.status_code == 201:
            names["HOOK"] = response.json()["id"]
        elif path.endswith("/ping"):
            names["DELIVERY"] = response.json()["id"]
    elif response.status_code == 202 and "/retry" not in str(response.url):
        names["NEW"] = response.json()["id"]
        names.setdefault("TASK", names["NEW"])
    elif path in MADE and response.status_code == 201:
        names[MADE[path]] = response.json()["id"]
    elif response.status_code == 201:
        names["KEY"] = response.json()["key"]
    elif response.url.path == "/v1/nodes":
        names["NODE"] = response.json()["nodes"][0]["id"]


def play(exchange: Exchange, client: httpx.Client, names: dict[str, str]) -> list[str]:
    """Sends a block; a GET is repeated until its answer is the shown one, or patience ends."""
    wrong: list[str] = []
    for request in requests(exchange.asked, names):
        request.url = request.url.removeprefix(SHOWN_AT)
        end = time.monotonic() + PATIENCE_S
        while True:
            response = request.send(client, lambda answer: not complaints(exchange, answer))
            remember(names, response)
            wrong = complaints(exchange, response)
            if not wrong or request.method != "GET" or time.monotonic() > end:
                break
            time.sleep(0.2)
    return wrong


def complaints(exchange: Exchange, response: httpx.Response) -> list[str]:
    if exchange.answer is None:
        return [] if response.is_success else [response.text]
    return compare(exchange, response)


@pytest.mark.parametrize("page", REPLAYED, ids=[str(p.relative_to(ROOT)) for p in REPLAYED])
def test_every_request_of_a_page_is_answered_as_shown(page: Path, embedded_stack: str) -> None:
    names: dict[str, str] = {}
    with httpx.Client(base_url=embedded_stack, timeout=60, trust_env=False) as client:
        for exchange in exchanges(page):
            assert play(exchange, client, names) == [], exchange.asked.place


# What the stack of the tests cannot do, shown with its refusal: it has no bucket, and no receiver
# to which a delivery could have ended.
REFUSED = {
    "POST /v1/uploads/{upload_id}/urls",
    "POST /v1/webhooks/{webhook_id}/deliveries/{delivery_id}/replay",
    "POST /v1/tasks/{task_id}/deliveries/{delivery_id}/replay",
}


def test_every_route_is_on_a_page_of_the_api_with_a_good_answer(tmp_path: Path) -> None:
    """A path's variable parts may be anything there."""
    application = build(Settings(data_dir=tmp_path, stub_models=True))
    paths = application.public.openapi()["paths"]
    application.store.close()
    answered = [
        (request.method, request.url.removeprefix(SHOWN_AT).partition("?")[0].split("/"), status)
        for page in ("api.md", "openai.md")
        for exchange in exchanges(ROOT / "docs" / page)
        if (status := exchange.status)
        for request in list(requests(exchange.asked, NAMES))[-1:]
    ]

    def shown(method: str, path: str) -> set[int]:
        steps = path.split("/")
        return {
            status
            for verb, words, status in answered
            if verb == method.upper()
            and len(words) == len(steps)
            and all(
                step == word or step.startswith(("{", "subtitles."))
                for step, word in zip(steps, words, strict=True)
            )
        }

    routes = {f"{m.upper()} {p}": shown(m, p) for p, methods in paths.items() for m in methods}
    assert [route for route, statuses in routes.items() if not statuses] == []
    assert {route for route, statuses in routes.items() if min(statuses) >= 400} == REFUSED


def test_the_api_page_links_to_the_errors() -> None:
    assert "(errors.md)" in read(ROOT / "docs" / "api.md")


COMMANDS = [
    (page, words)
    for page in (
        ROOT / "docs" / "quickstart.md",
        ROOT / "docs" / "evaluate.md",
        ROOT / "README.md",
    )
    for block in blocks(page, "sh")
    for words in shell_commands(block.text)
    if words[0] == ".venv/bin/fanscribe"
]


@pytest.mark.parametrize(
    ("page", "words"), COMMANDS, ids=[f"{page.name} {words[1]}" for page, words in COMMANDS]
)
def test_every_command_of_the_first_pages_does_what_it_says(
    page: Path, words: list[str], embedded_stack: str, tmp_path: Path
) -> None:
    """Run from the root of the repository against the stack; only `results` goes elsewhere, and
    `my-texts` holds the list that the page shows."""
    arguments = [
        str(tmp_path / word) if word in {"results", "my-texts"} else word for word in words[1:]
    ]
    if "my-texts" in words:
        (shown,) = (each.text for each in blocks(page, "text") if each.text.startswith("text\t"))
        (tmp_path / "my-texts").mkdir()
        (tmp_path / "my-texts" / "references.tsv").write_text(shown, encoding="utf-8")
    environment = {
        **{name: text for name, text in os.environ.items() if not name.startswith("FANSCRIBE")},
        "FANSCRIBE_URL": embedded_stack,
        "COLUMNS": "120",
    }

    done = subprocess.run(
        [sys.executable, "-m", "services.cli", *arguments],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stdout + done.stderr
    if "results" in words:
        assert list((tmp_path / "results").iterdir())
