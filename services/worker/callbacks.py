"""A worker's calls to its manager: signed with the manager's own time, every answer typed.

The two may be of different releases for a while, see `docs/decisions/0020-two-releases-at-once.md`.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable
from typing import TypeVar

from pydantic import BaseModel

from services import logs
from services.model.errors import FailureClass, FanscribeError, JobFailed
from services.model.messages import (
    Beat,
    BeatAnswer,
    Claim,
    Earlier,
    Finish,
    FinishAnswer,
    Granted,
    Keep,
    Kept,
    LeaseState,
    LookBack,
    Lookup,
    NodeBeat,
    Progress,
    Recalled,
    Register,
    Registered,
)
from services.outbound import Client, Response, open_client, refuse_busy, translated
from services.signing import sign
from services.worker import grants

_READ_S = 10.0  # a callback is short work; beats must not hang on a manager that does
_MEMORY_S = 2.0  # by then a sentence is translated
_Answer = TypeVar("_Answer", bound=BaseModel)
_Read = TypeVar("_Read")

log = logs.get(__name__)


class Refused(FanscribeError):
    """The manager understood the call and will not take it; asking again changes nothing, unless
    the call is only `ahead` of it."""

    def __init__(self, status: int, body: str) -> None:
        super().__init__(f"The manager answered HTTP {status}: {body[:300]}")
        self.status = status
        self.ahead = status == 422 and _code_in(body) == "unknown_field"


class ManagerClock:
    """The manager's time, carried on by the monotonic clock; the host's may be hours off."""

    def __init__(self) -> None:
        self._offset = time.time() - time.monotonic()

    def learn(self, now: float) -> None:
        self._offset = now - time.monotonic()

    def now(self) -> float:
        return self._offset + time.monotonic()


class Manager:
    """The manager as a worker sees it; may be used by several threads.

    Every call raises JobFailed (network_timeout, service_unavailable) when the manager cannot be
    reached, and Refused when it says no for good.
    """

    def __init__(self, url: str, secret: str) -> None:
        self._client = open_client(url.rstrip("/"), read_s=_READ_S)
        self._impatient = open_client(url.rstrip("/"), read_s=_MEMORY_S)
        self._secret = secret
        self.clock = ManagerClock()

    def register(self, hello: Register) -> Registered:
        answer = self._ask("register", hello, Registered)
        self.clock.learn(answer.now)
        return answer

    def node_beat(self, beat: NodeBeat) -> Registered | None:
        """None when the manager does not know this node (any more): register anew."""
        response = self._call("node-beat", beat)
        if response.status_code == 404:
            return None
        answer = _read_over(response, Registered)
        self.clock.learn(answer.now)
        return answer

    def claim(self, claim: Claim) -> Granted:
        """What was won and is understood; the rest goes back at once, for somebody else."""
        answer, strange = _parse(self._call("claim", claim), grants.read)
        self.clock.learn(answer.now)
        if strange:
            log.warning("grants_not_understood", reports=[each.model_dump() for each in strange])
            try:
                self.finish(Finish(token=claim.token, node=claim.node, reports=strange))
            except FanscribeError as error:  # they never beat, and will be missed
                log.warning("report_not_taken", reason=str(error))
        return answer

    def beat(self, beat: Beat) -> BeatAnswer:
        answer = self._ask("beat", beat, BeatAnswer)
        self.clock.learn(answer.now)
        return answer

    def progress(self, progress: Progress) -> LeaseState:
        response = self._call("progress", progress)
        if response.status_code == 409:
            return LeaseState(job=progress.job, state="stale")
        if response.status_code == 410:
            return LeaseState(job=progress.job, state="cancelled")
        return _read_over(response, LeaseState)

    def finish(self, finish: Finish) -> FinishAnswer:
        return self._ask("finish", finish, FinishAnswer)

    def look_up(self, asked: Lookup) -> Recalled:
        """Soon, or not at all."""
        return _read_over(self._call("translations/lookup", asked, self._impatient), Recalled)

    def keep(self, told: Keep) -> Kept:
        return self._ask("translations/keep", told, Kept)

    def look_back(self, asked: LookBack) -> Earlier:
        """Soon, or not at all."""
        return _read_over(self._call("results/lookup", asked, self._impatient), Earlier)

    def close(self) -> None:
        self._client.close()
        self._impatient.close()

    def _ask(self, name: str, message: BaseModel, answer: type[_Answer]) -> _Answer:
        return _read_over(self._call(name, message), answer)

    def _call(self, name: str, message: BaseModel, client: Client | None = None) -> Response:
        """One call; a 401 carries the manager's time: learn it, sign again, ask once more. What
        stands at its default is not sent, so that a manager of before may understand it."""
        body = message.model_dump_json(exclude_defaults=True)
        response = self._send(name, body, client or self._client)
        if response.status_code == 401:
            now = _time_in(response)
            if now is not None:
                self.clock.learn(now)
                response = self._send(name, body, client or self._client)
        refuse_busy(response, f"the callback {name}")
        return response

    def _send(self, name: str, body: str, client: Client) -> Response:
        message_id = f"msg_{secrets.token_hex(12)}"
        signed = sign(self._secret, message_id=message_id, at=self.clock.now(), body=body)
        headers = {**signed, "content-type": "application/json"}
        with translated(f"the callback {name}"):
            return client.post(f"/callbacks/v1/{name}", content=body.encode(), headers=headers)


def _time_in(response: Response) -> float | None:
    try:
        now = response.json()["now"]
    except (ValueError, KeyError, TypeError):
        return None
    return float(now) if isinstance(now, int | float) else None


def _code_in(body: str) -> str:
    try:
        return str(json.loads(body)["error"]["code"])
    except (ValueError, KeyError, TypeError):
        return ""


def _read_over(response: Response, answer: type[_Answer]) -> _Answer:
    """An answer is advice: what a newer manager adds to it is read over."""
    return _parse(response, lambda said: answer.model_validate_json(said, extra="ignore"))


def _parse(response: Response, read: Callable[[bytes], _Read]) -> _Read:
    if response.status_code != 200:
        raise Refused(response.status_code, response.text)
    try:
        return read(response.content)
    except ValueError as error:
        raise JobFailed(
            FailureClass.SERVICE_UNAVAILABLE,
            "manager_unreadable",
            f"The manager's answer was not one: {error}",
        ) from error
