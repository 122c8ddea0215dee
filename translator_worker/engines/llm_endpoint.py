"""One chat endpoint over HTTP: asked again in place for what passes soon, and else a failure of
the job that says what to do."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from typing import Any, Self

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, stop_after_attempt

from services import logs
from services.model.chat import ChatService, Usage
from services.model.errors import FailureClass, JobFailed
from services.outbound import Response, open_async_client, retry_after, translated
from translator_worker.engines.llm_answers import Reply
from translator_worker.engines.llm_requests import tokens_of

TRIES = 3  # of one request, before the job fails and waits for minutes
LONGEST_WAIT_S = 20.0  # a service that asks for more gets it, and the slot goes to other work
MOST_BYTES = 8 * 1024 * 1024  # of an answer; a request's lines translated have a hundredth of it
_TOO_LONG = ("context_length_exceeded", "context length", "context window", "too many tokens")
_FILTERED = ("content_filter", "content_policy", "responsibleai")
_NO_CREDIT = ("insufficient_quota", "insufficient balance")

log = logs.get(__name__)


class Endpoint:
    """The endpoint of one model, within one event loop."""

    def __init__(
        self,
        name: str,
        service: ChatService,
        key: str,
        used: Callable[[Usage], None],
        *,
        pause_s: float = 1.0,
    ) -> None:
        """`used` hears what each answer took; `pause_s` is the first wait where the service names
        none, and doubles."""
        self._used = used
        self._name = name
        self._service = service
        self._key = key
        self._pause_s = pause_s
        self._open_at = 0.0  # of the loop's clock: until then it asked to be left alone
        self._slots = asyncio.Semaphore(service.parallel)
        headers = {"Accept-Encoding": "identity"}  # nothing small unpacks into something large
        if key:
            headers["Authorization"] = f"Bearer {key}"
        self._client = open_async_client(headers=headers, read_s=service.timeout_s)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    async def ask(self, body: Mapping[str, Any]) -> Reply:
        """The answer. Raises JobFailed: network_timeout, service_unavailable, permanent, or
        internal where what comes is no answer of a chat service."""
        retrying = AsyncRetrying(
            stop=stop_after_attempt(TRIES),
            retry=retry_if_exception(_passes_soon),
            wait=self._wait,
            reraise=True,
        )
        async with self._slots:
            return await retrying(self._once, body)

    async def _once(self, body: Mapping[str, Any]) -> Reply:
        await asyncio.sleep(max(0.0, self._open_at - asyncio.get_running_loop().time()))
        try:
            async with asyncio.timeout(self._service.timeout_s):
                status, response, raw = await self._post(body)
        except TimeoutError as error:
            waited = f"{self._service.timeout_s:g} s"
            text = f"The chat service of {self._name} did not answer within {waited}."
            raise JobFailed(FailureClass.NETWORK_TIMEOUT, "llm_timeout", text) from error
        answer = _json(raw)
        if status != 200:
            return self._refused(status, response, _words(answer, raw))
        return self._read(body, answer, raw)

    async def _post(self, body: Mapping[str, Any]) -> tuple[int, Response, bytes]:
        url = f"{self._service.url}/chat/completions"
        with translated(f"cannot ask the chat service of {self._name}"):
            async with self._client.stream("POST", url, json=body) as response:
                raw = bytearray()
                async for chunk in response.aiter_raw():
                    raw += chunk
                    if len(raw) > MOST_BYTES:
                        raise self._unreadable(f"more than {MOST_BYTES} bytes")
                return response.status_code, response, bytes(raw)

    def _wait(self, state: RetryCallState) -> float:
        """What the service asked for, and for all other requests too; else longer each time."""
        error = state.outcome.exception() if state.outcome else None
        asked = error.retry_after_s if isinstance(error, JobFailed) else None
        if asked is not None:
            self._open_at = asyncio.get_running_loop().time() + asked
            return asked
        return self._pause_s * 2.0 ** (state.attempt_number - 1)

    # ── what came ────────────────────────────────────────────────────────────────────────────

    def _read(self, body: Mapping[str, Any], answer: Any, raw: bytes) -> Reply:
        try:
            choice = answer["choices"][0]
            message = choice["message"]
            content, refusal = message.get("content"), message.get("refusal")
        except (KeyError, IndexError, TypeError, AttributeError) as error:
            raise self._unreadable(_words(answer, raw)) from error
        reply = Reply(
            content=content if isinstance(content, str) else "",
            finish=str(choice.get("finish_reason") or ""),
            refusal=str(refusal or ""),
        )
        self._count(body, answer, reply)
        return reply

    def _count(self, body: Mapping[str, Any], answer: Mapping[str, Any], reply: Reply) -> None:
        """As the service counts; by our estimate where it does not."""
        told = answer.get("usage")
        counts = [
            told.get(name) if isinstance(told, Mapping) else None
            for name in ("prompt_tokens", "completion_tokens")
        ]
        given = all(isinstance(count, int) and count >= 0 for count in counts)
        if not given:
            asked = "".join(message["content"] for message in body["messages"])
            counts = [tokens_of(asked), tokens_of(reply.content)]
        self._used(
            self._service.used(int(counts[0] or 0), int(counts[1] or 0), estimated=not given)
        )

    def _refused(self, status: int, response: Response, words: str) -> Reply:
        """What a status means; a refusal of the content, or of its length, is an answer too."""
        said = words.lower()
        log.warning("llm_refused", model=self._name, status=status, reason=self._hidden(words))
        if status in {400, 413, 422} and any(sign in said for sign in _FILTERED):
            return Reply("", finish="content_filter")
        if status == 413 or (status == 400 and any(sign in said for sign in _TOO_LONG)):
            return Reply("", finish="length")
        raise self._failure(status, said, retry_after(response))

    def _failure(self, status: int, said: str, retry_after_s: float | None) -> JobFailed:
        what = f"The chat service of {self._name}"
        if status in {401, 403}:
            text = f"{what} refused the key (HTTP {status}): see FANSCRIBE_LLM_KEYS and its `key`."
            return JobFailed(FailureClass.PERMANENT, "llm_key_refused", text)
        if status == 402 or (status == 429 and any(sign in said for sign in _NO_CREDIT)):
            text = f"{what} wants to be paid (HTTP {status}): add credit there and retry the task."
            return JobFailed(FailureClass.PERMANENT, "llm_no_credit", text)
        if status == 404:
            text = f"{what} knows no such address or model (HTTP 404): see `url` and `model`."
            return JobFailed(FailureClass.PERMANENT, "llm_not_found", text)
        if status == 408:
            text = f"{what} gave up waiting (HTTP 408)."
            return JobFailed(FailureClass.NETWORK_TIMEOUT, "llm_timeout", text)
        if status in {409, 425, 429} or status >= 500:
            text = f"{what} is too busy or failed (HTTP {status})."
            return JobFailed(
                FailureClass.SERVICE_UNAVAILABLE,
                "llm_unavailable",
                text,
                retry_after_s=retry_after_s,
            )
        text = f"{what} does not take our requests (HTTP {status}): see its `answers` and `body`."
        return JobFailed(FailureClass.PERMANENT, "llm_request_refused", text)

    def _unreadable(self, words: str) -> JobFailed:
        log.warning("llm_unreadable", model=self._name, reason=self._hidden(words))
        text = f"What the chat service of {self._name} sent is no answer: see its `url`."
        return JobFailed(FailureClass.INTERNAL, "llm_answer_unreadable", text)

    def _hidden(self, words: str) -> str:
        """For the log; some services say the key again that they refuse."""
        return words.replace(self._key, "…") if self._key else words


def _passes_soon(error: BaseException) -> bool:
    """Whether asking again in some seconds may help; a longer wait is the manager's matter."""
    if not isinstance(error, JobFailed) or error.failure_class is FailureClass.PERMANENT:
        return False
    return (error.retry_after_s or 0.0) <= LONGEST_WAIT_S


def _json(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        return None


def _words(answer: Any, raw: bytes) -> str:
    """What an error says of itself, its code included."""
    error = answer.get("error") if isinstance(answer, dict) else None
    text = json.dumps(error) if error else raw[:500].decode(errors="replace")
    return text[:500]
