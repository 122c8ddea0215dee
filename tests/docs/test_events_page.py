"""The function of the events' page, run by a real JavaScript engine against a running stack."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest
from pages import ROOT, blocks

NODE = shutil.which("node")
TASK = {"items": [{"text_id": "1", "text": "Good morning.", "language": "en"}], "targets": ["de"]}
PAGE = ROOT / "docs" / "events.md"

pytestmark = pytest.mark.skipif(NODE is None, reason="node is not on the PATH")


def run(script: Path, *words: str) -> list[dict[str, Any]]:
    """What the function of the page yields, as one line of JSON each."""
    (block,) = (each.text for each in blocks(PAGE, "js") if "function* follow" in each.text)
    function = block.partition("\nfor await")[0]
    loop = """
const [url, until] = process.argv.slice(2);
for await (const event of follow(url, "key")) {
  console.log(JSON.stringify(event));
  if (event.task === until && event.state === "succeeded") process.exit();
}
"""
    script.write_text(function + loop, encoding="utf-8")
    done = subprocess.run(
        [str(NODE), str(script), *words], capture_output=True, text=True, timeout=90, check=True
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_a_browser_follows_a_task_to_its_end(embedded_stack: str, tmp_path: Path) -> None:
    """It comes again after the end, is told 204, and stops by itself."""
    task = httpx.post(f"{embedded_stack}/v1/tasks", json=TASK).json()["id"]

    events = run(tmp_path / "one.mjs", f"{embedded_stack}/v1/tasks/{task}/events")

    assert [each["state"] for each in events if each["event"] == "state"][-1] == "succeeded"


def test_a_browser_follows_all_tasks(embedded_stack: str, tmp_path: Path) -> None:
    tasks = [httpx.post(f"{embedded_stack}/v1/tasks", json=TASK).json()["id"] for _ in range(2)]

    events = run(tmp_path / "all.mjs", f"{embedded_stack}/v1/events?after=0", tasks[1])

    assert set(tasks) <= {each["task"] for each in events}
