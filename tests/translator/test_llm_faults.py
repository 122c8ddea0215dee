"""A chat service that answers wrongly in every known way: each row names the fault, and ends in
the right lines or in the right failure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import fake_chat as fake
import pytest
from fake_chat import FakeChat, Trick

from services.model.chat import ChatService
from services.model.errors import FailureClass, JobFailed
from translator_worker.engines.llm import ChatEngine, Watch

LINES = [
    "Chapter 11 is about bees.",
    "It has 48 pages.",
    "",
    "The poison is named on page 73.",
    "Nobody knows why.",
    "The end comes in 1999.",
    "Good night.",
]
RIGHT = [f"<de> {line}" if line else "" for line in LINES]
PERMANENT = FailureClass.PERMANENT
BUSY = FailureClass.SERVICE_UNAVAILABLE
NETWORK = FailureClass.NETWORK_TIMEOUT
INTERNAL = FailureClass.INTERNAL


@dataclass(frozen=True)
class Row:
    """A fault, how often it is met (0: at every request), and how it ends: in the right lines
    where no failure is named."""

    name: str
    trick: Trick
    times: int = 1
    failure: FailureClass | None = None
    code: str = ""
    retry_after_s: float | None = None
    service: dict[str, object] = field(default_factory=dict)


QUICK = {"timeout_s": 0.3}
ROWS = [
    Row("no fault", fake.right),
    # ── wrong words ──
    Row("fewer lines", fake.entries(lambda made: made[:-2])),
    Row("fewer lines each time", fake.entries(lambda made: made[: max(1, len(made) - 1)]), 0),
    Row("the first line is always missing", fake.if_more_than(1, fake.entries(lambda m: m[1:])), 0),
    Row("more lines", fake.entries(lambda made: [*made, {"id": "zzz", "text": "And so on."}])),
    Row("lines in another order", fake.entries(lambda made: made[::-1])),
    Row("texts under each other's ids", fake.entries(fake.crossing)),
    Row("ids of its own counting", fake.entries(fake.counting)),
    Row("ids of its own counting, always", fake.entries(fake.counting), 0, INTERNAL,
        "llm_answer_unusable"),
    Row("numbers for ids", fake.entries(lambda m: [{"id": 1, "text": x["text"]} for x in m])),
    Row("an id twice with different words",
        fake.entries(lambda made: [*made, {**made[0], "text": "Something else."}])),
    Row("an id twice with the same words", fake.entries(lambda made: [*made, made[0]])),
    Row("prose around the JSON", fake.written(lambda j: f"Sure! [Here] it is: {j}\nBye {{:")),
    Row("a code fence around the JSON", fake.written(lambda j: f"```json\n{j}\n```"), 0),
    Row("thoughts before the JSON",
        fake.written(lambda j: f'<think>{{"lines": [{{"id": "x"}}]}} hm</think>\n{j}'), 0),
    Row("a bare list", fake.written(lambda j: j[len('{"lines": ') : -1]), 0),
    Row("one object of ids", lambda h, lines: h.say(
        {line["id"]: h.translation(line)["text"] for line in lines}), 0),
    Row("other names of fields", fake.written(lambda j: j.replace('"text"', '"translation"')), 0),
    Row("JSON that cannot be read", fake.written(lambda j: j.replace(",", ";"))),
    Row("JSON that can never be read", fake.said('{"lines": [{"id": '), 0, INTERNAL,
        "llm_answer_unusable"),
    Row("brackets without an end", fake.said("[" * 100_000)),
    Row("a text that is no text", fake.entries(lambda m: [{**m[0], "text": 7}, *m[1:]])),
    Row("half a surrogate pair", fake.written(lambda j: j.replace("de", "\\ud83d"))),
    Row("a whole surrogate pair",
        fake.written(lambda j: j.replace("<de>", "\\ud83d\\ude00 <de>")), 1),
    Row("nothing but surrogates", fake.written(lambda j: j.replace("<", "\\udc00")), 0, INTERNAL,
        "llm_answer_unusable"),
    Row("control characters and line breaks",
        fake.written(lambda j: j.replace("<de> ", "\\u0000<de>\\n\\u0007")), 0),
    Row("an empty text for a line", fake.entries(lambda m: [{**m[0], "text": " "}, *m[1:]])),
    Row("an empty answer", fake.said("")),
    Row("no content", fake.said(None)),
    Row("always an empty answer", fake.said(""), 0, INTERNAL, "llm_answer_unusable"),
    Row("the source comes back", fake.echo),
    Row("the source always comes back", fake.echo, 0, PERMANENT, "llm_untranslated",
        service={"target": "ja"}),
    # ── refusals ──
    Row("a refusal in words", fake.said("I'm sorry, but I cannot help with that.")),
    Row("always a refusal in words", fake.said("I cannot help."), 0, PERMANENT, "llm_refused"),
    Row("a refusal in its field", fake.said(None, refusal="I cannot.")),
    Row("one line is always refused", fake.if_any("poison", fake.said("I cannot.")), 0, PERMANENT,
        "llm_refused"),
    Row("a content filter", fake.said("", "content_filter")),
    Row("one line is always filtered", fake.if_any("poison", fake.said("", "content_filter")), 0,
        PERMANENT, "llm_refused"),
    Row("a filter before the model", fake.if_any(
        "poison", fake.status(400, "filtered", "content_filter")), 0, PERMANENT, "llm_refused"),
    # ── too long ──
    Row("cut in the middle", fake.written(lambda j: j[: len(j) // 2], "length")),
    Row("always cut in the middle of many lines",
        fake.if_more_than(2, fake.written(lambda j: j[: len(j) // 3], "length")), 0),
    Row("cut before the first word", fake.said("", "length")),
    Row("always cut", fake.said("", "length"), 0, PERMANENT, "llm_cut"),
    Row("too long for the context", fake.if_more_than(
        2, fake.status(400, "This model's maximum context length is 4096 tokens.")), 0),
    Row("too large a request", fake.if_more_than(1, fake.status(413)), 0),
    # ── a service that is away, busy, or another ──
    Row("429 with a short Retry-After", fake.status(429, Retry_After="0"), 2),
    Row("429 with a long Retry-After", fake.status(429, Retry_After="120"), 1, BUSY,
        "llm_unavailable", 120),
    Row("429 without Retry-After", fake.status(429), 2),
    Row("429 each time", fake.status(429), 0, BUSY, "llm_unavailable"),
    Row("429 with an unreadable Retry-After", fake.status(429, Retry_After="soon"), 2),
    Row("429 for want of credit", fake.status(429, "You exceeded your quota", "insufficient_quota"),
        1, PERMANENT, "llm_no_credit"),
    Row("402", fake.status(402), 1, PERMANENT, "llm_no_credit"),
    Row("500 once", fake.status(500)),
    Row("500 each time", fake.status(500), 0, BUSY, "llm_unavailable"),
    Row("502 with a page of HTML", fake.status(502), 2),
    Row("503 with a short Retry-After", fake.status(503, Retry_After="0")),
    Row("503 with a long Retry-After", fake.status(503, Retry_After="60"), 1, BUSY,
        "llm_unavailable", 60),
    Row("529", fake.status(529), 0, BUSY, "llm_unavailable"),
    Row("400", fake.status(400, "bad temperature"), 1, PERMANENT, "llm_request_refused"),
    Row("401", fake.status(401, "bad key"), 1, PERMANENT, "llm_key_refused"),
    Row("403", fake.status(403), 1, PERMANENT, "llm_key_refused"),
    Row("404", fake.status(404, "no such model"), 1, PERMANENT, "llm_not_found"),
    Row("408", fake.status(408), 0, NETWORK, "llm_timeout"),
    Row("a redirect", fake.status(302, Location="/elsewhere"), 1, PERMANENT,
        "llm_request_refused"),
    Row("no answer once", fake.hang, service=QUICK),
    Row("no answer", fake.hang, 0, NETWORK, "llm_timeout", service=QUICK),
    Row("an answer byte by byte", fake.drip, 0, NETWORK, "llm_timeout", service=QUICK),
    Row("a connection that is reset", fake.reset, 2),
    Row("a connection that is always reset", fake.reset, 0, NETWORK, "network"),
    Row("a body that breaks off", fake.break_off),
    Row("a body without an end", fake.flood, 1),
    Row("always a body without an end", fake.flood, 0, INTERNAL, "llm_answer_unreadable"),
    Row("a page of HTML", fake.raw(b"<html>Welcome</html>", Content_Type="text/html")),
    Row("always a page of HTML", fake.raw(b"<html>Hi</html>", Content_Type="text/html"), 0,
        INTERNAL, "llm_answer_unreadable"),
    Row("an empty body", fake.raw(b"")),
    Row("packed unasked", fake.raw(b"\x1f\x8b\x08\x00", Content_Encoding="gzip")),
    Row("JSON without choices", fake.raw(b'{"choices": []}')),
    Row("an error with status 200", fake.raw(b'{"error": {"message": "overloaded"}}'), 2),
    Row("JSON that is a number", fake.raw(b"7")),
    Row("choices that are no list", fake.raw(b'{"choices": {"0": 1}}')),
    Row("deep JSON", fake.raw(b"[" * 1_000_000)),
]  # fmt: skip


@pytest.fixture
def fake_chat() -> Iterator[FakeChat]:
    service = FakeChat()
    yield service
    service.close()


def engine_for(service: FakeChat, **more: object) -> ChatEngine:
    about = {"url": service.url, "model": "m", **more}
    return ChatEngine("fake", ChatService(**about), "top-secret", pause_s=0.001)


def translate(engine: ChatEngine, lines: list[str], target: str = "de"):
    return engine.translate(
        lines, "en", target, Watch(lambda: None, lambda _: None, lambda _: None)
    )


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_each_fault_ends_in_the_right_lines_or_the_right_failure(
    row: Row, fake_chat: FakeChat
) -> None:
    if row.times:
        fake_chat.tricks = [row.trick] * row.times
    else:
        fake_chat.always = row.trick
    more = dict(row.service)
    target = str(more.pop("target", "de"))
    engine = engine_for(fake_chat, **more)
    if row.failure is None:
        made = translate(engine, LINES, target)
        assert [each.text.replace("😀 ", "") for each in made] == RIGHT
        assert not any(each.flags for each in made)
        return
    with pytest.raises(JobFailed) as failed:
        translate(engine, LINES, target)
    assert (failed.value.failure_class, failed.value.code) == (row.failure, row.code)
    assert failed.value.retry_after_s == row.retry_after_s
    assert "top-secret" not in str(failed.value)
