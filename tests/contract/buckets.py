"""Buckets on this machine: moto's S3 server, and the same behind a door that speaks OSS.

The OSS door checks the signatures (version 1, as Aliyun's documentation defines it), so that what
only a real bucket would refuse is refused here too.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlencode

import boto3
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

BUCKET = "media"
KEY_ID = "test-key"
KEY_SECRET = "test-secret"

_AS_AWS = (
    f"AWS4-HMAC-SHA256 Credential={KEY_ID}/20260101/us-east-1/s3/aws4_request, "
    "SignedHeaders=host, Signature=unchecked"
)
_SUBRESOURCES = {"uploads", "uploadId", "partNumber", "delete", "continuation-token"}
_SIGNING = {"OSSAccessKeyId", "Expires", "Signature"}

Application = Callable[[dict[str, Any], Any], Iterable[bytes]]


@contextmanager
def s3_server() -> Iterator[str]:
    """The address of an S3 with one empty bucket."""
    with _served(_moto()) as address:
        client_of(address).create_bucket(Bucket=BUCKET)
        yield address


@contextmanager
def oss_server() -> Iterator[str]:
    """The address of an OSS with one empty bucket."""
    moto = _moto()
    with _served(moto) as behind, _served(OssDoor(moto)) as address:
        client_of(behind).create_bucket(Bucket=BUCKET)
        yield address


def settings_of(address: str) -> dict[str, str]:
    """How a manager reaches the bucket of an S3 server."""
    return {
        "objects_endpoint": address,
        "objects_key_id": KEY_ID,
        "objects_key_secret": KEY_SECRET,
    }


def keys_in(address: str) -> list[str]:
    """Of all objects in the bucket of an S3 server."""
    found = client_of(address).list_objects_v2(Bucket=BUCKET).get("Contents", [])
    return [each["Key"] for each in found]


def client_of(address: str) -> Any:
    """For what a test does itself. Buckets outlive their server: a test of a missing one has a name
    of its own for it."""
    return boto3.client(
        "s3",
        endpoint_url=address,
        region_name="us-east-1",
        aws_access_key_id=KEY_ID,
        aws_secret_access_key=KEY_SECRET,
    )


def _moto() -> Application:
    """It says of all parts that they were begun in 2010; here it is always just now."""
    moto = DomainDispatcherApplication(create_backend_app)

    def answer(environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        found = moto(environ, start)
        if not environ["QUERY_STRING"].startswith("uploads"):
            return found
        now = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime()).encode()
        return [each.replace(b"2010-11-10T20:48:33.000Z", now) for each in found]

    return answer


@contextmanager
def _served(application: Application) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, application, threaded=True)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class OssDoor:
    """Turns OSS requests into S3 ones, and the answers back."""

    def __init__(self, s3: Application) -> None:
        self._s3 = s3

    def __call__(self, environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        query = parse_qsl(environ["QUERY_STRING"], keep_blank_values=True)
        if not _signed(environ, dict(query)):
            body = b"<Error><Code>SignatureDoesNotMatch</Code></Error>"
            start("403 Forbidden", [("Content-Type", "application/xml")])
            return [body]
        kept = [(key, value) for key, value in query if key not in _SIGNING]
        environ["QUERY_STRING"] = urlencode(
            [(key, value) for key, value in kept if value or key in {"uploads", "delete"}]
        )
        environ["HTTP_AUTHORIZATION"] = _AS_AWS
        for name in [name for name in environ if name.startswith("HTTP_X_OSS_")]:
            environ[name.replace("HTTP_X_OSS_", "HTTP_X_AMZ_")] = environ.pop(name)
        said: list[Any] = []

        def heard(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> None:
            said[:] = [status, [(_as_oss(name), value) for name, value in headers]]

        answer = self._s3(environ, heard)
        if "xml" not in dict(said[1]).get("Content-Type", ""):
            start(*said)
            return answer
        body = b"".join(answer)
        body = re.sub(rb' xmlns="[^"]*"', b"", body)
        body = body.replace(b"<Contents>", b"<Contents><Type>Normal</Type>")
        end = b"</ListMultipartUploadsResult>"
        body = body.replace(end, b"<NextKeyMarker/><NextUploadIdMarker/>" + end)
        start(said[0], [each for each in said[1] if each[0].lower() != "content-length"])
        return [body]


def _as_oss(name: str) -> str:
    return re.sub("^x-amz-", "x-oss-", name, flags=re.IGNORECASE)


def _signed(environ: dict[str, Any], query: dict[str, str]) -> bool:
    """Whether the request carries the signature that its method, resource, times, content type
    and `x-oss-` headers call for."""
    if "Signature" in query:
        given, when = query["Signature"], query["Expires"]
        if float(when) < time.time():
            return False
    else:
        given = environ.get("HTTP_AUTHORIZATION", "").rpartition(":")[2]
        when = environ.get("HTTP_DATE", "")
    headers = sorted(
        (name[5:].replace("_", "-").lower(), value)
        for name, value in environ.items()
        if name.startswith("HTTP_X_OSS_")
    )
    named = sorted((key, value) for key, value in query.items() if key in _SUBRESOURCES)
    shown = "&".join(f"{key}={value}" if value else key for key, value in named)
    resource = unquote(quote(environ["PATH_INFO"], encoding="latin-1"))
    text = "\n".join(
        [
            environ["REQUEST_METHOD"],
            environ.get("HTTP_CONTENT_MD5", ""),
            environ.get("CONTENT_TYPE", ""),
            when,
            "".join(f"{name}:{value}\n" for name, value in headers)
            + resource
            + (f"?{shown}" if shown else ""),
        ]
    )
    expected = hmac.new(KEY_SECRET.encode(), text.encode(), hashlib.sha1).digest()
    return hmac.compare_digest(base64.b64encode(expected).decode(), given)
