"""Send what is due of the outbox: each receiver a little at a time, so that a slow one holds up
nobody else.

Any number of managers may send: a delivery is claimed by compare-and-set and held for longer
than a try may take. What a manager that died had claimed is sent again under the same id.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from dataclasses import dataclass

from services import logs
from services.model.addresses import to_networks
from services.model.export import EXPORT, is_lane
from services.model.webhook import OF_TASK, TOPICS, Delivery, Secret, signing
from services.outbound import open_client
from services.posting import WITHIN_S, Posted, post
from services.signing import sign_for_user
from services.topics.opening import Topic, TopicAway, open_topic
from task_manager.pipeline import outbox
from task_manager.pipeline.ports import Ports
from task_manager.ticker.export import write

log = logs.get(__name__)

OF_LANE = 4  # at once: the tries of one owner to one host
OF_OWNER = 16
OF_ALL = 32
OF_EXPORTS = 8  # of them: these take long, and nobody's webhooks shall wait for them
HOLD_S = 3 * WITHIN_S  # a claim; no try begins to send after the first third of it
HOLD_EXPORT_S = 300.0  # the same while objects are written, after each text anew
LANES_A_LOOK = 1000
_BUSY = frozenset({429, 502, 503, 504})
_SLOWEST = 6  # doublings of a second between two tries to a host that is busy or away
FORGET_S = 3600.0
_PATIENCE_S = 2.0  # at the end, for tries that are under way


@dataclass(slots=True)
class LaneState:
    """How this manager gets on with a host. `until` is by the monotonic clock."""

    running: int = 0
    slow: int = 0  # answers in a row that ask for patience
    until: float = 0.0


class Postman:
    """Runs inside every manager; `look` is the ticker's."""

    def __init__(self, ports: Ports, within_s: float = WITHIN_S) -> None:
        settings = ports.settings
        self._ports = ports
        self._within_s = within_s
        self._client = open_client()
        self._named = to_networks(settings.private_networks)
        addresses = {name: getattr(settings, name) for name in TOPICS}
        self._topics: dict[str, Topic] = {
            name: open_topic(address, name) for name, address in addresses.items() if address
        }
        self._lanes: dict[str, LaneState] = {}
        self._threads: set[threading.Thread] = set()
        self._lock = threading.Lock()
        self._cursor = ""
        self._stopping = False

    def look(self) -> None:
        """Starts a sender for each lane that has something due; it starts the next one."""
        now = self._ports.store.now()
        for _ in range(LANES_A_LOOK):
            lane = self._ports.store.next_lane(self._cursor)
            self._cursor = "" if lane is None else lane.name
            if lane is None:
                self._forget()
                return
            if lane.due <= now:
                self._start(lane.name)

    def close(self) -> None:
        """What is still under way is sent again, by whoever finds it."""
        self._stopping = True
        give_up = time.monotonic() + _PATIENCE_S
        with self._lock:
            under_way = list(self._threads)
        for thread in under_way:
            thread.join(max(0.0, give_up - time.monotonic()))
        self._client.close()
        for topic in self._topics.values():
            topic.close()

    def _start(self, name: str) -> None:
        with self._lock:
            state = self._lanes.setdefault(name, LaneState())
            most = 1 if state.slow else OF_LANE
            if state.running >= most or time.monotonic() < state.until or not self._has_room(name):
                return
            state.running += 1
            thread = threading.Thread(target=self._run, args=(name, state), daemon=True)
            self._threads.add(thread)
        thread.start()

    def _forget(self) -> None:
        """Hosts that nothing was sent to for long."""
        with self._lock:
            long_ago = time.monotonic() - FORGET_S
            idle = [
                each for each, at in self._lanes.items() if not at.running and at.until < long_ago
            ]
            for name in idle:
                del self._lanes[name]

    def _has_room(self, name: str) -> bool:
        owners: Counter[str] = Counter()
        exports = 0
        for lane, state in self._lanes.items():
            owners[_owner(lane)] += state.running
            exports += state.running if is_lane(lane) else 0
        if is_lane(name) and exports >= OF_EXPORTS:
            return False
        return owners.total() < OF_ALL and owners[_owner(name)] < OF_OWNER and not self._stopping

    def _run(self, name: str, state: LaneState) -> None:
        try:
            while not self._stopping and time.monotonic() >= state.until:
                if not self._send_next(name, state):
                    break
        except Exception as error:  # noqa: BLE001 - the next look begins anew
            self._ports.meter.tick_failed("deliver")
            log.warning("deliver_failed", lane=name, error=repr(error))
        finally:
            with self._lock:
                state.running -= 1
                self._threads.discard(threading.current_thread())
                if not state.running and not state.slow:
                    self._lanes.pop(name, None)

    def _send_next(self, name: str, state: LaneState) -> bool:
        """Whether there was something to send."""
        now = self._ports.store.now()
        claimed_at = time.monotonic()
        hold_s = HOLD_EXPORT_S if is_lane(name) else HOLD_S
        delivery = self._ports.store.claim_delivery(name, now, now + hold_s)
        if delivery is None:
            return False
        if state.running == 1:
            self._ports.post()  # perhaps there is more than one can do
        if delivery.endpoint == EXPORT:
            enough = claimed_at + self._within_s
            delivery, posted = write(
                self._ports, delivery, hold_s, lambda: self._stopping or time.monotonic() > enough
            )
        else:
            posted = self._send(delivery)
        if posted is not None:
            seconds = time.monotonic() - claimed_at
            self._slow_down(state, posted)
            outbox.sent(self._ports, delivery, posted, at=now, seconds=seconds)
        return True

    def _slow_down(self, state: LaneState, posted: Posted) -> None:
        """A host that is busy, or not there, is tried once at a time, with longer and longer
        pauses; a Retry-After holds for everything that goes there."""
        with self._lock:
            if posted.status is not None and posted.status not in _BUSY:
                state.slow = 0
                return
            state.slow = min(state.slow + 1, _SLOWEST)
            pause = 2.0**state.slow * self._ports.settings.retry_scale
            state.until = time.monotonic() + max(pause, min(posted.retry_after_s or 0.0, 3600.0))

    def _send(self, delivery: Delivery) -> Posted | None:
        """None where nobody is there any more to send it to."""
        if delivery.endpoint in TOPICS:
            return self._publish(delivery)
        if delivery.endpoint == OF_TASK:
            return self._post(delivery, delivery.url, [Secret(value=delivery.secret)])
        endpoint = self._ports.store.endpoint(delivery.endpoint)
        if endpoint is None or not endpoint.enabled:
            gone = "The webhook was deleted." if endpoint is None else "The webhook is disabled."
            outbox.drop(self._ports, delivery, gone)
            return None
        return self._post(delivery, endpoint.url, endpoint.secrets)

    def _post(self, delivery: Delivery, url: str, secrets: list[Secret]) -> Posted:
        now = self._ports.store.now()
        headers = sign_for_user(
            signing(secrets, now), message_id=delivery.id, at=now, body=delivery.body
        )
        return post(
            self._client,
            url,
            body=delivery.body,
            headers={**headers, "User-Agent": "Fanscribe"},
            named=self._named,
            within_s=self._within_s,
        )

    def _publish(self, delivery: Delivery) -> Posted:
        topic = self._topics.get(delivery.endpoint)
        if topic is None:
            return Posted(error="No topic is named any more.")
        try:
            topic.publish(delivery.id, delivery.event, delivery.body)
        except TopicAway as away:
            return Posted(error=str(away))
        return Posted(status=200)


def _owner(lane: str) -> str:
    return lane.partition("/")[0]
