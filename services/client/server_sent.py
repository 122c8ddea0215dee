"""Server-sent events out of the bytes of a stream, however these are cut."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

_LINE_END = re.compile(rb"\r\n|\n|\r(?=.)", re.DOTALL)  # a \r at the very end may be half of one


@dataclass(frozen=True, slots=True)
class Sent:
    """One event; `id` is empty where it has none."""

    kind: str
    data: str
    id: str


@dataclass(slots=True)
class Reader:
    """Takes chunks and gives the events that are whole by now; `last_id` is where to go on."""

    last_id: str = ""
    _rest: bytes = b""
    _fields: dict[str, list[str]] = field(default_factory=dict)

    def read(self, chunk: bytes) -> Iterator[Sent]:
        *lines, self._rest = _LINE_END.split(self._rest + chunk)
        for line in lines:
            if line:
                self._keep(line.decode("utf-8", "replace"))
            elif (whole := self._whole()) is not None:
                yield whole

    def _keep(self, line: str) -> None:
        name, _, value = line.partition(":")
        if name:  # a line that begins with a colon only keeps the connection open
            self._fields.setdefault(name, []).append(value.removeprefix(" "))

    def _whole(self) -> Sent | None:
        fields, self._fields = self._fields, {}
        self.last_id = fields.get("id", [self.last_id])[-1]
        if "data" not in fields:
            return None
        last = {name: values[-1] for name, values in fields.items()}
        data = "\n".join(fields["data"])
        return Sent(last.get("event", "message"), data, last.get("id", ""))
