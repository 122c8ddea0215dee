"""Translation by a chat model: lines go out by id, and only what surely belongs to one is kept.

Lines that an answer lacks are asked again together, then in halves, down to one by one. A single
line that still has no translation fails the job; nothing is invented and nothing left out.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from services.model.chat import ChatService, Usage
from services.model.errors import FailureClass, JobFailed
from services.sentences import halves, within
from translator_worker.engines import Translation, joined
from translator_worker.engines.llm_answers import Fault, Reading, read
from translator_worker.engines.llm_endpoint import Endpoint
from translator_worker.engines.llm_requests import Line, Request, packed, tokens_of
from translator_worker.engines.suspicions import length_is_strange, may_stay
from translator_worker.glossary import Terms

LINE_TRIES = 3  # of a line that goes out alone
_LOOK_S = 0.5  # how soon a cancel is noticed while answers are awaited
_ALIVE_S = 30.0  # a request has its own time limit: while one is under way, nothing is stuck


@dataclass(frozen=True, slots=True)
class Watch:
    """The job as its engine sees it: `check` raises where the work is to end, `progress` tells
    how far it is, `used` what each request took."""

    check: Callable[[], None]
    progress: Callable[[float], None]
    used: Callable[[Usage], None]


class ChatEngine:
    """A chat model of the catalog, by that name."""

    def __init__(self, name: str, service: ChatService, key: str, *, pause_s: float = 1.0) -> None:
        self._name = name
        self._service = service
        self._key = key
        self._pause_s = pause_s

    def translate(
        self,
        texts: Sequence[str],
        source: str,
        target: str,
        watch: Watch,
        *,
        terms: Terms | None = None,
    ) -> list[Translation]:
        """All lines of a job. An answer stands where its line stood; a blank
        one stays blank. Raises JobFailed."""
        most = self._service.max_tokens
        parts = [within(t, lambda s: tokens_of(s) <= most) if t.strip() else [] for t in texts]
        pieces = [piece for line in parts for piece in line]
        done = asyncio.run(self._run(pieces, source, target, watch, terms))
        ready = iter(done)
        return [joined([next(ready) for _ in line], target) for line in parts]

    async def _run(
        self, pieces: Sequence[str], source: str, target: str, watch: Watch, terms: Terms | None
    ) -> list[Translation]:
        endpoint = Endpoint(self._name, self._service, self._key, watch.used, pause_s=self._pause_s)
        async with endpoint:
            work = _Work(self._service, endpoint, pieces, source, target, terms)
            lines = [Line(number, text) for number, text in enumerate(pieces)]
            batches = packed(lines, self._service.max_tokens, self._service.max_lines)
            running = [asyncio.create_task(work.translate(batch)) for batch in batches]
            try:
                await _watched(running, work, watch)
            finally:
                for task in running:
                    task.cancel()
                await asyncio.gather(*running, return_exceptions=True)
            return [work.done[number] for number in range(len(pieces))]


async def _watched(running: Sequence[asyncio.Task[None]], work: _Work, watch: Watch) -> None:
    """Until all are done. Raises what ended one of them, or the job."""
    told, told_at = 0, asyncio.get_running_loop().time()
    waiting = set(running)
    while waiting:
        watch.check()
        ended, waiting = await asyncio.wait(
            waiting, timeout=_LOOK_S, return_when=asyncio.FIRST_COMPLETED
        )
        for task in ended:
            task.result()
        now = asyncio.get_running_loop().time()
        if len(work.done) > told or now - told_at > _ALIVE_S:
            told, told_at = len(work.done), now
            await asyncio.to_thread(watch.progress, told / len(work.pieces))


@dataclass(slots=True)
class _Work:
    """The lines of one job on their way; `done` by number."""

    service: ChatService
    endpoint: Endpoint
    pieces: Sequence[str]
    source: str
    target: str
    terms: Terms | None = None
    done: dict[int, Translation] = field(default_factory=dict)

    async def translate(self, lines: Sequence[Line], *, again: bool = False) -> None:
        """All of them, in however many requests it takes."""
        if len(lines) == 1:
            self._keep(lines[0], await self._alone(lines[0]))
            return
        reading = await self._ask(lines)
        for line in lines:
            if line.number in reading.good:
                self._keep(line, Translation(reading.good[line.number]))
        left = [line for line in lines if line.number not in self.done]
        if not left:
            return
        if len(left) == 1 or (reading.good and not again):
            await self.translate(left, again=True)
        else:
            middle = (len(left) + 1) // 2
            await self.translate(left[:middle])
            await self.translate(left[middle:])

    async def _alone(self, line: Line) -> Translation:
        """One line, or what cannot be had of it in one piece from its halves."""
        reading = Reading()
        for _ in range(LINE_TRIES):
            reading = await self._ask([line])
            if line.number in reading.good:
                return Translation(reading.good[line.number])
            parts = halves(line.text) if reading.fault is Fault.CUT else None
            if parts and all(parts):
                pieces = [await self._alone(Line(line.number, part)) for part in parts]
                return joined(pieces, self.target)
        if reading.unchanged and may_stay(line.text, self.source, self.target):
            return Translation(reading.unchanged[line.number], ["untranslated"])
        raise _failure(reading.fault, line)

    async def _ask(self, lines: Sequence[Line]) -> Reading:
        first, last = lines[0].number, lines[-1].number
        request = Request(
            lines=lines,
            before=self.pieces[max(0, first - self.service.context) : first],
            after=self.pieces[last + 1 : last + 1 + self.service.context],
            source=self.source,
            target=self.target,
            terms=self.terms.rules_in(line.text for line in lines) if self.terms else {},
        )
        return read(await self.endpoint.ask(request.body(self.service)), request)

    def _keep(self, line: Line, made: Translation) -> None:
        if length_is_strange(line.text, made.text):
            made = Translation(made.text, [*made.flags, "length_ratio"])
        self.done[line.number] = made


def _failure(fault: Fault | None, line: Line) -> JobFailed:
    text = f"{line.text[:80]!r}"
    if fault in {Fault.REFUSED, Fault.PROSE}:
        return JobFailed(
            FailureClass.PERMANENT, "llm_refused", f"The chat model refused to translate {text}."
        )
    if fault is Fault.CUT:
        return JobFailed(
            FailureClass.PERMANENT,
            "llm_cut",
            f"The chat model never came to the end of {text}: raise the tokens that it may write.",
        )
    if fault is Fault.UNCHANGED:
        return JobFailed(
            FailureClass.PERMANENT,
            "llm_untranslated",
            f"The chat model gave {text} back as it was, each time.",
        )
    return JobFailed(
        FailureClass.INTERNAL,
        "llm_answer_unusable",
        f"The chat model gave no usable answer for {text}, each time.",
    )
