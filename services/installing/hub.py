"""A model hub, by its two HTTP routes: what a revision has, and the bytes of a file.

`huggingface_hub` is not used for it: it keeps nothing of a file that broke off for the next
process, compares no hash, and hands its token to more hosts than one (decision 0015).
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

from services import logs
from services.installing.errors import CannotInstall, Damaged, HubAway, HubRefused, NoSuchModel
from services.outbound import HttpError, Response, open_far_client, retry_after

DEFAULT_ENDPOINT = "https://huggingface.co"
_REDIRECTS = 10
_TRIES = 4  # without a byte in between
_LONGEST_WAIT_S = 300.0
_BUSY = frozenset({408, 429, 500, 502, 503, 504})
_SHA256 = re.compile(r"[0-9a-f]{64}")

log = logs.get(__name__)


class _NotNow(Exception):
    """It may be there in a while, or as soon as it says."""

    def __init__(self, reason: str, wait_s: float | None = None) -> None:
        super().__init__(reason)
        self.wait_s = wait_s


@dataclass(frozen=True, slots=True)
class HubFile:
    """A file of a revision; what nobody said is 0 or empty. `blob` is git's hash of a small one."""

    size: int = 0
    sha256: str = ""
    blob: str = ""


@dataclass(frozen=True, slots=True)
class Listing:
    """A revision: the commit that it is, and its files by name."""

    hub_id: str
    commit: str
    licence: str
    files: dict[str, HubFile] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Incoming:
    """A file on its way: from which byte on, how large it is as a whole, and its bytes."""

    start: int
    promised: HubFile
    chunks: Iterator[bytes]


class Hub:
    """`wait` passes the seconds between two tries; tests turn it into nothing."""

    def __init__(
        self, endpoint: str, token: str = "", *, wait: Callable[[float], None] = time.sleep
    ) -> None:
        self.endpoint = endpoint.rstrip("/")
        self._token = token
        self._wait = wait
        self._client = open_far_client()

    @classmethod
    def of_environment(cls) -> Hub:
        """By the variables that all tools of the hub read. Raises HubAway in offline mode."""
        if os.environ.get("HF_HUB_OFFLINE", "").lower() in {"1", "on", "yes", "true"}:
            raise HubAway("HF_HUB_OFFLINE is set: bring the files by --from, or unset it.")
        endpoint = os.environ.get("HF_ENDPOINT") or DEFAULT_ENDPOINT
        if urlsplit(endpoint).scheme not in {"http", "https"}:
            raise HubAway(f"HF_ENDPOINT is {endpoint}: write https://host.")
        return cls(endpoint, os.environ.get("HF_TOKEN", ""))

    def listing(self, hub_id: str, revision: str) -> Listing:
        """Raises NoSuchModel, HubRefused, HubAway."""
        route = f"{self.endpoint}/api/models/{hub_id}/revision/{quote(revision, safe='')}"
        what = f"{hub_id} at {revision}"
        for pause in self._tries(what):
            with pause, self._opened(f"{route}?blobs=true", {}) as (response, _):
                _check(response, what)
                response.read()
                return _listing(hub_id, response)
        raise AssertionError("the last try raises")

    @contextmanager
    def incoming(self, listing: Listing, name: str, start: int) -> Iterator[Incoming]:
        """One try at a file, from `start` on where the hub can do that, else from its beginning.

        Raises NoSuchModel, HubRefused, and what `again` says of others.
        """
        url = f"{self.endpoint}/{listing.hub_id}/resolve/{listing.commit}/{quote(name)}"
        what = f"{name} of {listing.hub_id}"
        headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={start}-"} if start else {})
        with self._opened(url, headers) as (response, first):
            if response.status_code == 416:  # there is nothing after it
                yield Incoming(start, _promised(listing, name, first, response), iter(()))
                return
            _check(response, what)
            begins = start if response.status_code == 206 and _begins(response) == start else 0
            if response.status_code == 206 and begins != start:
                raise HubAway(f"{self.endpoint} sends another part of {what} than was asked for.")
            promised = _promised(listing, name, first, response)
            chunks = response.iter_bytes()  # as they come: a cut must cost none of them
            if promised.size:
                chunks = _all_of(chunks, promised.size - begins)
            yield Incoming(begins, promised, chunks)

    def again(self, what: str, came: Callable[[], int]) -> Iterator[Any]:
        """Tries, as long as bytes come in between; each is a context that lets the error of a try
        pass, but for the last one's. Raises HubAway."""
        yield from self._tries(what, came)

    def close(self) -> None:
        self._client.close()

    def _tries(self, what: str, came: Callable[[], int] = lambda: 0) -> Iterator[Any]:
        before, tries = came(), 0
        while True:
            tries = 1 if came() > before else tries + 1
            before = came()
            yield self._one_try(what, tries)

    @contextmanager
    def _one_try(self, what: str, number: int) -> Iterator[None]:
        try:
            yield
        except (HttpError, _NotNow) as error:
            reason = str(error) or type(error).__name__
            if number >= _TRIES:
                raise HubAway(
                    f"Cannot get {what} from {self.endpoint}: {reason}. Run it again: what has "
                    "come is kept. A mirror is named by HF_ENDPOINT, and files from another "
                    "machine come by --from."
                ) from error
            asked = error.wait_s if isinstance(error, _NotNow) else None
            wait_s = min(_LONGEST_WAIT_S, asked if asked is not None else 2.0 ** (number - 1))
            log.info("hub_again", what=what, reason=reason, wait_s=wait_s)
            self._wait(wait_s)

    @contextmanager
    def _opened(self, url: str, headers: dict[str, str]) -> Iterator[tuple[Response, Response]]:
        """The answer at the end of all redirects, and the hub's own. The token goes to the hub
        alone, and so does nothing that a redirect leads elsewhere with."""
        first: Response | None = None
        for _ in range(_REDIRECTS):
            known = _origin(url) == _origin(self.endpoint)
            own = {"Authorization": f"Bearer {self._token}"} if known and self._token else {}
            with self._client.stream("GET", url, headers=headers | own) as response:
                first = response if known else first or response
                if not response.has_redirect_location:
                    if response.status_code in _BUSY:
                        raise _NotNow(f"HTTP {response.status_code}", retry_after(response))
                    yield response, first
                    return
                url = urljoin(url, response.headers["location"])
                if urlsplit(url).scheme not in {"http", "https"}:
                    raise HubAway(f"{self.endpoint} leads to {url[:100]}, which is no web address.")
        raise HubAway(f"{self.endpoint} leads from one address to the next without an end.")


def _all_of(chunks: Iterator[bytes], size: int) -> Iterator[bytes]:
    """An end that came too early is a cut, and what goes on behind the end is nothing of ours."""
    left = size
    for chunk in chunks:
        left -= len(chunk)
        if left < 0:
            raise Damaged("The hub sends more than it said. Try again, or another mirror.")
        yield chunk
    if left:
        raise _NotNow(f"it ended {left} bytes too early")


def _origin(url: str) -> tuple[str, str | None, int | None]:
    address = urlsplit(url)
    port = address.port or {"http": 80, "https": 443}.get(address.scheme)
    return address.scheme, address.hostname, port


def _check(response: Response, what: str) -> None:
    status = response.status_code
    if status in {401, 403}:
        raise HubRefused(
            f"The hub does not give out {what} (HTTP {status}). Either there is no such model, or "
            "it wants to know who asks: accept its terms on the hub, and set HF_TOKEN."
        )
    if status == 404:
        raise NoSuchModel(f"The hub has no {what}. Is its name right, and its revision?")
    if status >= 300:
        raise CannotInstall(f"The hub answers HTTP {status} for {what}.")


def _listing(hub_id: str, response: Response) -> Listing:
    try:
        told = response.json()
        commit, siblings = told["sha"], told["siblings"]
        files = {each["rfilename"]: _file(each) for each in siblings}
        licence = _licence(told)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise HubAway(f"{response.url} answers, but not as a model hub does.") from error
    if not re.fullmatch(r"[0-9a-f]{7,64}", str(commit)):
        raise HubAway(f"{response.url} names no commit.")
    return Listing(hub_id, commit, licence, files)


def _file(told: dict[str, Any]) -> HubFile:
    large = told.get("lfs") or {}
    return HubFile(
        size=int(large.get("size") or told.get("size") or 0),
        sha256=str(large.get("sha256") or "").lower(),
        blob="" if large else str(told.get("blobId") or "").lower(),
    )


def _licence(told: dict[str, Any]) -> str:
    named = (told.get("cardData") or {}).get("license")
    tags = [tag.partition(":")[2] for tag in told.get("tags") or [] if tag.startswith("license:")]
    return str(named or (tags[0] if tags else ""))


def _promised(listing: Listing, name: str, first: Response, last: Response) -> HubFile:
    """What the listing says of a file; else what the hub's headers say, which name the content of
    a large file even where they lead to another host."""
    told = listing.files.get(name, HubFile())
    commit = first.headers.get("x-repo-commit", listing.commit)
    if commit != listing.commit:
        raise HubAway(f"The hub sends {name} of {commit}, not of {listing.commit}.")
    tag = first.headers.get("x-linked-etag", "").removeprefix("W/").strip('"').lower()
    linked = first.headers.get("x-linked-size", "")
    size = int(linked) if linked.isdecimal() else _whole_size(last)
    return HubFile(
        size=told.size or size,
        sha256=told.sha256 or (tag if _SHA256.fullmatch(tag) else ""),
        blob=told.blob,
    )


def _begins(response: Response) -> int | None:
    found = re.match(r"bytes (\d+)-", response.headers.get("content-range", ""))
    return int(found[1]) if found else None


def _whole_size(response: Response) -> int:
    total = response.headers.get("content-range", "").rpartition("/")[2]
    length = response.headers.get("content-length", "")
    if response.status_code in {206, 416}:
        return int(total) if total.isdecimal() else 0
    return int(length) if length.isdecimal() else 0
