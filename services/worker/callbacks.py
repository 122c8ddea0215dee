"""A worker's calls to its manager: signed with the manager's own time, every answer typed."""

from __future__ import annotations

import secrets
import time
from typing import TypeVar

from pydantic import BaseModel, ValidationError

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

_READ_S = 10.0  # a callback is short work; beats must not hang on a manager that does
_MEMORY_S = 2.0  # by then a sentence is translated
_Answer = TypeVar("_Answer", bound=BaseModel)


class Refused(FanscribeError):
    """The manager understood the call and will not take it; asking again changes nothing."""

    def __init__(self, status: int, body: str) -> None:
        super().__init__(f"The manager answered HTTP {status}: {body[:300]}")
        self.status = status


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
        answer = _parse(response, Registered)
        self.clock.learn(answer.now)
        return answer

    def claim(self, claim: Claim) -> Granted:
        answer = self._ask("claim", claim, Granted)
        self.clock.learn(answer.now)
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
        return _parse(response, LeaseState)

    def finish(self, finish: Finish) -> FinishAnswer:
        return self._ask("finish", finish, FinishAnswer)

    def look_up(self, asked: Lookup) -> Recalled:
        """Soon, or not at all."""
        return _parse(self._call("translations/lookup", asked, self._impatient), Recalled)

    def keep(self, told: Keep) -> Kept:
        return self._ask("translations/keep", told, Kept)

    def look_back(self, asked: LookBack) -> Earlier:
        """Soon, or not at all."""
        return _parse(self._call("results/lookup", asked, self._impatient), Earlier)

    def close(self) -> None:
        self._client.close()
        self._impatient.close()

    def _ask(self, name: str, message: BaseModel, answer: type[_Answer]) -> _Answer:
        return _parse(self._call(name, message), answer)

    def _call(self, name: str, message: BaseModel, client: Client | None = None) -> Response:
        """One call; a 401 carries the manager's time: learn it, sign again, ask once more."""
        body = message.model_dump_json()
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


def _parse(response: Response, answer: type[_Answer]) -> _Answer:
    if response.status_code != 200:
        raise Refused(response.status_code, response.text)
    try:
        return answer.model_validate_json(response.content)
    except ValidationError as error:
        raise JobFailed(
            FailureClass.SERVICE_UNAVAILABLE,
            "manager_unreadable",
            f"The manager's answer was not one: {error}",
        ) from error
