"""A manager in the test's own process, speaking the true protocol over real HTTP."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable
from typing import Any

from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from services import signing
from services.model.messages import (
    Beat,
    BeatAnswer,
    Claim,
    Earlier,
    Finish,
    FinishAnswer,
    Grant,
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
    Report,
    Verdict,
)

SECRET = "a secret of the tests"
CALLS = ("register", "node-beat", "claim", "beat", "progress", "finish")
OF_MEMORY = ("translations/lookup", "translations/keep", "results/lookup")


class InTestManager:
    """Grants what is put into `grants`, notes all it is told, and answers as it is set.

    `shift` is how far its clock is from the host's (seconds); calls in `away` answer 503;
    `states` says what a job's leases are told, `held` by default; `verdict` answers reports.
    Nodes are told to `listen` to these queues (None: to those that they registered), that `due`
    jobs wait, and to rest for `rest_s` after a claim that won nothing. It remembers the
    translations in `memory` and those it is told, and what was heard `earlier`. `strike` is done
    once, before the next claim's answer leaves. `newer` adds to answers, by call, what only a
    newer release says; and the next `behind` reports say more than it knows. `bodies` are all
    calls as they came.
    """

    def __init__(self, server: HTTPServer) -> None:
        self.url = server.url_for("").rstrip("/")
        self.shift = 0.0
        self.away: set[str] = set()
        self.beat_every_s = 0.1
        self.grants: list[Grant] = []
        self.states: dict[str, str] = {}
        self.verdict = 200
        self.unknown_nodes: set[str] = set()
        self.listen: list[str] | None = None
        self.due = 0
        self.won: dict[str, list[Grant]] = {}
        self.strike: Callable[[], None] | None = None
        self.newer: dict[str, Callable[[Any], None]] = {}
        self.behind = 0
        self.bodies: list[tuple[str, Any]] = []
        self.rest_s = 0.0
        self.claims: list[Claim] = []
        self.beats: list[Beat] = []
        self.told: list[Progress] = []
        self.reports: list[Report] = []
        self.registered: list[Register] = []
        self.node_beats: list[NodeBeat] = []
        self.memory: dict[str, str] = {}  # digest → translation
        self.lookups: list[Lookup] = []
        self.kept: list[Keep] = []
        self.memory_rest_s = 0.0
        self.earlier: dict[str, Earlier] = {}  # digest → what was heard
        self.looks_back: list[LookBack] = []
        self.refused = 0
        self.calls: list[str] = []
        self._changed = threading.Condition()
        for name in (*CALLS, *OF_MEMORY):
            server.expect_request(f"/callbacks/v1/{name}", method="POST").respond_with_handler(
                lambda request, name=name: self._answer(name, request)
            )

    def now(self) -> float:
        return time.time() + self.shift

    def wait_for(self, fulfilled: Callable[[], bool], what: str, within_s: float = 60.0) -> None:
        with self._changed:
            if not self._changed.wait_for(fulfilled, within_s):
                raise AssertionError(f"it did not come to this: {what}")

    def change(self, act: Callable[[], None]) -> None:
        with self._changed:
            act()
            self._changed.notify_all()

    def _answer(self, name: str, request: Request) -> Response:
        with self._changed:
            try:
                return self._answer_in_turn(name, request)
            finally:
                self._changed.notify_all()

    def _answer_in_turn(self, name: str, request: Request) -> Response:
        self.calls.append(name)
        if name in self.away:
            return _json("{}", 503)
        body = request.get_data(as_text=True)
        headers = {key.lower(): value for key, value in request.headers.items()}
        try:
            signing.verify(SECRET, headers, body, now=self.now())
        except signing.BadSignature as error:
            self.refused += 1
            return _json(f'{{"code":"bad_signature","message":"{error}","now":{self.now()}}}', 401)
        self.bodies.append((name, json.loads(body)))
        answer: Any = getattr(self, "_" + re.sub("[-/]", "_", name))(body)
        if name in self.newer:
            plain = answer.model_dump(mode="json")
            self.newer[name](plain)
            return _json(json.dumps(plain), 200)
        return answer if isinstance(answer, Response) else _json(answer.model_dump_json(), 200)

    def _translations_lookup(self, body: str) -> Recalled:
        asked = Lookup.model_validate_json(body)
        self.lookups.append(asked)
        known = {
            wanted.job: {name: self.memory[name] for name in wanted.digests if name in self.memory}
            for wanted in asked.wanted
        }
        return Recalled(known=known, rest_s=self.memory_rest_s)

    def _results_lookup(self, body: str) -> Earlier:
        asked = LookBack.model_validate_json(body)
        self.looks_back.append(asked)
        return self.earlier.get(asked.digest, Earlier())

    def _translations_keep(self, body: str) -> Kept:
        told = Keep.model_validate_json(body)
        self.kept.append(told)
        for made in told.made:
            self.memory |= made.texts
        return Kept(count=sum(len(made.texts) for made in told.made), rest_s=self.memory_rest_s)

    def _register(self, body: str) -> Registered:
        hello = Register.model_validate_json(body)
        self.registered.append(hello)
        self.unknown_nodes.discard(hello.node)
        return self._registered()

    def _node_beat(self, body: str) -> Registered | Response:
        beat = NodeBeat.model_validate_json(body)
        if beat.node in self.unknown_nodes:
            return _json('{"code":"not_found","message":"unknown"}', 404)
        self.node_beats.append(beat)
        return self._registered()

    def _registered(self) -> Registered:
        served = self.registered[-1].queues if self.registered else []
        return Registered(
            now=self.now(),
            beat_every_s=self.beat_every_s,
            listen=served if self.listen is None else self.listen,
            due=self.due,
        )

    def _claim(self, body: str) -> Granted:
        claim = Claim.model_validate_json(body)
        self.claims.append(claim)
        won = self.won.get(claim.token, [])
        if not won and claim.queue:
            won, self.grants = self.grants[: claim.slots], self.grants[claim.slots :]
            self.won[claim.token] = won
        strike, self.strike = self.strike, None
        if strike is not None:
            strike()
        return Granted(
            now=self.now(),
            grants=won,
            beat_every_s=self.beat_every_s,
            rest_s=0.0 if won else self.rest_s,
        )

    def _beat(self, body: str) -> BeatAnswer:
        beat = Beat.model_validate_json(body)
        self.beats.append(beat)
        leases = [self._lease(held.job) for held in beat.leases]
        return BeatAnswer(now=self.now(), leases=leases)

    def _progress(self, body: str) -> Response:
        told = Progress.model_validate_json(body)
        self.told.append(told)
        lease = self._lease(told.job)
        status = {"held": 200, "stale": 409, "cancelled": 410}[lease.state]
        return _json(lease.model_dump_json(), status)

    def _finish(self, body: str) -> FinishAnswer | Response:
        finish = Finish.model_validate_json(body)
        if self.behind:
            self.behind -= 1
            return _json('{"error":{"code":"unknown_field","message":"no such field"}}', 422)
        if self.verdict == 413:
            self.verdict = 200
            return _json('{"code":"too_large","message":"too much"}', 413)
        self.reports.extend(finish.reports)
        verdicts = [Verdict(job=report.job, status=self.verdict) for report in finish.reports]
        return FinishAnswer(now=self.now(), verdicts=verdicts)

    def _lease(self, job: str) -> LeaseState:
        return LeaseState.model_validate({"job": job, "state": self.states.get(job, "held")})


def _json(text: str, status: int) -> Response:
    return Response(text, status=status, content_type="application/json")
