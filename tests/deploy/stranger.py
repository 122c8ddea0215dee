"""A worker that knows nothing of our code: it was written from docs/callbacks.md alone."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from jsonschema import Draft202012Validator

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "callbacks.md").read_text("utf-8")
SCHEMAS = json.loads((DOCS / "callbacks.schema.json").read_text("utf-8"))


def calls_of_the_page() -> dict[str, tuple[str, str]]:
    """Call → the names of what is sent and of what is answered, from the page's table."""
    row = r"^\| `POST (/callbacks/v1/[\w-]+)` \| \[(\w+)\]\S+ \| \[(\w+)\]"
    return {path: (body, answer) for path, body, answer in re.findall(row, PAGE, re.MULTILINE)}


def signature_of_the_page() -> Callable[[str, str, int, bytes], str]:
    """The function that the page shows."""
    names: dict[str, Any] = {}
    exec(re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)[0], names)
    return names["signature"]


def check(name: str, value: Any) -> None:
    """Raises if the value is not what the schema of that name says."""
    Draft202012Validator({**SCHEMAS, "$ref": f"#/$defs/{name}"}).validate(value)


def body_of(text: str) -> dict[str, Any]:
    """A text inline, as the page's `Body`."""
    raw = text.encode()
    return {"inline": text, "size": len(raw), "sha256": hashlib.sha256(raw).hexdigest()}


@dataclass
class Stranger:
    """Calls the manager; its clock is wrong until a refusal tells it the time."""

    url: str
    secret: str
    now: float = 0.0
    refusals: int = 0
    sent: int = 0
    sign: Callable[[str, str, int, bytes], str] = field(default_factory=signature_of_the_page)

    def call(self, name: str, message: dict[str, Any]) -> dict[str, Any]:
        """One call, checked against the schemas both ways."""
        path = f"/callbacks/v1/{name}"
        asked, answered = calls_of_the_page()[path]
        check(asked, message)
        response = self._post(path, json.dumps(message).encode())
        if response.status_code == 401:
            self.refusals += 1
            self.now = response.json()["now"]
            response = self._post(path, json.dumps(message).encode())
        assert response.status_code == 200, response.text
        check(answered, response.json())
        return response.json()

    def _post(self, path: str, body: bytes) -> httpx.Response:
        self.sent += 1
        message_id, stamp = f"msg_{self.sent}", int(self.now)
        headers = {
            "content-type": "application/json",
            "webhook-id": message_id,
            "webhook-timestamp": str(stamp),
            "webhook-signature": self.sign(self.secret, message_id, stamp, body),
        }
        return httpx.post(self.url + path, content=body, headers=headers, trust_env=False)
