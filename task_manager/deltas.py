"""The text of a transcription as far as it is heard, and what of it has not been told yet; pure."""

from __future__ import annotations

from collections.abc import Collection

from services.model.job import Stage
from services.model.task import TaskEvent
from services.model.transcript import join_pieces

Piece = tuple[str, str | None]  # a text, and its language if it has one of its own


class Deltas:
    """Told in order: a part's text follows when those before it are done. Of a part that is heard
    again only what goes on from the text told so far is told, so what was said never changes."""

    def __init__(self) -> None:
        self._parts: dict[int, tuple[int, list[Piece]]] = {}  # part → attempt and its pieces
        self._language = ""
        self._told = ""

    @property
    def parts(self) -> int:
        """How many parts have been heard of."""
        return len(self._parts)

    def hear(self, event: TaskEvent) -> None:
        """Takes the segments of a line of the log; other lines do not matter."""
        data = event.data
        if event.kind != "segments" or data.get("stage") != Stage.TRANSCRIBE:
            return
        self._language = data.get("language") or self._language
        attempt, heard = self._parts.get(data["part"], (0, []))
        if data["attempt"] > attempt:
            attempt, heard = data["attempt"], []
        if data["attempt"] == attempt:
            heard.extend((each["text"], each.get("language")) for each in data["segments"])
        self._parts[data["part"]] = attempt, heard

    def next(self, done: Collection[int] = ()) -> str:
        """What can be told now; `done` are the parts that are heard to their end."""
        heard: list[Piece] = []
        for part in range(max(self._parts, default=-1) + 1):
            heard += self._parts.get(part, (0, []))[1]
            if part not in done:
                break
        return self.rest(join_pieces((text, own or self._language) for text, own in heard))

    def rest(self, text: str) -> str:
        """What follows in this text on what was told; nothing if that was another one."""
        if not text.startswith(self._told):
            return ""
        more = text[len(self._told) :]
        self._told = text
        return more
