#!/usr/bin/env python3
"""Ends with 0 if a health address answers 200: the images carry no curl.

The address is the argument, or the manager's that this container reports to.
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
    manager = os.environ.get("FANSCRIBE_MANAGER_URL", "http://127.0.0.1:8001")
    return 0 if answers(arguments[0] if arguments else manager.rstrip("/") + "/readyz") else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
