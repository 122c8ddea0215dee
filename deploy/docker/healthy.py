#!/usr/bin/env python3
"""Ends with 0 if a health address answers 200: the images carry no curl.

The address is the argument, or the worker's own, which FANSCRIBE_HEALTH_PORT names, or the
manager's that this container reports to.
"""

from __future__ import annotations

import http.client
import os
import sys
from urllib.parse import urlsplit

TIMEOUT_S = 8.0


def answers(url: str) -> bool:
    """Whether GET says 200 in time."""
    address = urlsplit(url)
    kind = http.client.HTTPSConnection if address.scheme == "https" else http.client.HTTPConnection
    connection = kind(address.netloc, timeout=TIMEOUT_S)
    try:
        connection.request("GET", address.path)
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def main(arguments: list[str]) -> int:
    return 0 if answers(arguments[0] if arguments else own_address()) else 1


def own_address() -> str:
    """Where a container that was given no address asks."""
    port = os.environ.get("FANSCRIBE_HEALTH_PORT", "0")
    if port != "0":
        return f"http://127.0.0.1:{port}/healthz"
    manager = os.environ.get("FANSCRIBE_MANAGER_URL", "http://127.0.0.1:8001")
    return manager.rstrip("/") + "/readyz"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
