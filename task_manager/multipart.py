"""A multipart/form-data body as a stream of parts; a file's bytes are only passed on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from services.model.errors import Invalid, RequestRefused, TooLarge

MAX_FIELD = 16 * 1024 * 1024  # bytes of a field that is no file


@dataclass(slots=True)
class Part:
    """One part; `chunks` can be read once, and only before the next part is asked for."""

    name: str
    filename: str | None
    chunks: Iterator[bytes]

    def text(self) -> str:
        """The whole part as text. Raises TooLarge and Invalid."""
        raw = bytearray()
        for chunk in self.chunks:
            raw += chunk
            if len(raw) > MAX_FIELD:
                raise TooLarge(f"A form field has up to {MAX_FIELD} bytes.", field=self.name)
        try:
            return raw.decode()
        except UnicodeDecodeError as error:
            raise Invalid(
                "This form field is not UTF-8.", code="bad_unicode", field=self.name
            ) from error


def parts(body: Iterable[bytes], content_type: str) -> Iterator[Part]:
    """The parts in order; what the caller leaves of a part is skipped.

    Raises RequestRefused with 400 for what is no multipart body.
    """
    events = _events(body, content_type)
    for event in events:
        if isinstance(event, tuple):
            chunks = _until_end(events)
            yield Part(event[0], event[1], chunks)
            for _ in chunks:
                pass


_Event = tuple[str, str | None] | bytes | None  # name and file name, then bytes, then the end


def _until_end(events: Iterator[_Event]) -> Iterator[bytes]:
    for event in events:
        if event is None:
            return
        if isinstance(event, bytes):
            yield event


def _events(body: Iterable[bytes], content_type: str) -> Iterator[_Event]:
    _, options = parse_options_header(content_type)
    boundary = options.get(b"boundary")
    if not boundary:
        raise _malformed("the Content-Type names no boundary")
    reader = _Reader()
    try:
        parser = MultipartParser(boundary, reader.callbacks())  # type: ignore[arg-type]
        for chunk in body:
            parser.write(chunk)
            yield from reader.take()
        parser.finalize()
    except FormParserError as error:
        raise _malformed(str(error)) from error
    if not reader.ended:
        raise _malformed("it ends too early")
    yield from reader.take()


def _malformed(reason: str) -> RequestRefused:
    return RequestRefused(f"The body is not multipart/form-data: {reason}.", code="bad_multipart")


class _Reader:
    """Collects what the parser calls back, until somebody takes it."""

    def __init__(self) -> None:
        self.ended = False
        self._events: list[_Event] = []
        self._header = b""
        self._value = b""
        self._disposition = b""

    def callbacks(self) -> dict[str, object]:
        return {
            "on_part_begin": self._begin,
            "on_part_data": lambda data, start, end: self._events.append(bytes(data[start:end])),
            "on_part_end": lambda: self._events.append(None),
            "on_header_field": self._more_header,
            "on_header_value": self._more_value,
            "on_header_end": self._end_header,
            "on_headers_finished": self._finish_headers,
            "on_end": self._end,
        }

    def take(self) -> list[_Event]:
        taken, self._events = self._events, []
        return taken

    def _begin(self) -> None:
        self._disposition = b""

    def _more_header(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _more_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _end_header(self) -> None:
        if self._header.lower() == b"content-disposition":
            self._disposition = self._value
        self._header = self._value = b""

    def _finish_headers(self) -> None:
        _, options = parse_options_header(self._disposition)
        if b"name" not in options:
            raise _malformed("a part has no name")
        filename = options.get(b"filename")
        self._events.append(
            (_decoded(options[b"name"]), None if filename is None else _decoded(filename))
        )

    def _end(self) -> None:
        self.ended = True


def _decoded(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")
