"""Consul and Nacos by their documented HTTP interfaces, as far as publishing nodes needs them."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

from services.outbound import HttpError, Response, open_client
from task_manager.registry import Instance, NotPublished, Publisher, Registry, RegistryAway

_READ_S = 3.0
_TTL = "30s"  # in Consul, without a word of a manager
_FORGET_AFTER = "10m"  # when everybody who would withdraw it is gone
_PORTS = {"consul": 8500, "nacos": 8848}
_NACOS_NOT_FOUND = 20404


def open_publisher(registry_url: str) -> Publisher | None:
    """None for an empty address. Raises ValueError for one that is none of ours."""
    if not registry_url:
        return None
    address = urlsplit(registry_url)
    if address.scheme not in _PORTS or not address.hostname:
        raise ValueError(
            "FANSCRIBE_REGISTRY_URL is neither consul://host:8500 nor nacos://host:8848"
        )
    options = {name: values[-1] for name, values in parse_qs(address.query).items()}
    host = f"[{address.hostname}]" if ":" in address.hostname else address.hostname
    base_url = f"http://{host}:{address.port or _PORTS[address.scheme]}"
    registry: Registry
    if address.scheme == "consul":
        registry = Consul(base_url, options.get("token", ""))
    else:
        registry = Nacos(
            base_url,
            namespace=options.get("namespace", ""),
            username=options.get("username", ""),
            password=options.get("password", ""),
        )
    return Publisher(registry)


class _Caller:
    """One HTTP call after the other. Addresses may hold secrets, so no error shows one."""

    def __init__(self, base_url: str, headers: dict[str, str]) -> None:
        self._client = open_client(base_url, headers, read_s=_READ_S)

    def call(self, method: str, path: str, **more: Any) -> Response:
        try:
            return self._client.request(method, path, **more)
        except HttpError as error:
            raise RegistryAway(f"{method} {path}: {type(error).__name__}") from None

    def close(self) -> None:
        self._client.close()


def _check(response: Response, method: str, path: str) -> None:
    if not response.is_success:
        raise RegistryAway(f"{method} {path}: HTTP {response.status_code}")


class Consul:
    """A service of the agent for each node, with a check that we pass while the node lives, and
    one that the agent makes itself where the node has a health address."""

    def __init__(self, base_url: str, token: str) -> None:
        self._http = _Caller(base_url, {"X-Consul-Token": token} if token else {})

    def register(self, instance: Instance) -> None:
        checks: list[dict[str, str]] = [
            {
                "CheckID": f"{instance.id}:beats",
                "Name": "The node beats",
                "TTL": _TTL,
                "Status": "passing",
                "DeregisterCriticalServiceAfter": _FORGET_AFTER,
            }
        ]
        if instance.health_url:
            checks.append(
                {
                    "CheckID": f"{instance.id}:health",
                    "Name": "The node's own health",
                    "HTTP": f"{instance.health_url.rstrip('/')}/healthz",
                    "Interval": "10s",
                    "Timeout": "5s",
                }
            )
        self._put(
            "/v1/agent/service/register",
            params={"replace-existing-checks": "true"},
            json={
                "ID": instance.id,
                "Name": instance.service,
                "Address": instance.host,
                "Port": instance.port,
                "Tags": list(instance.tags),
                "Meta": dict(instance.meta),
                "Checks": checks,
            },
        )

    def confirm(self, instance: Instance) -> None:
        path = f"/v1/agent/check/pass/{quote(instance.id)}:beats"
        response = self._http.call("PUT", path)
        if response.status_code == 404 or "nknown check" in response.text:  # 500 before 1.12
            raise NotPublished
        _check(response, "PUT", path)

    def withdraw(self, instance: Instance) -> None:
        path = f"/v1/agent/service/deregister/{quote(instance.id)}"
        response = self._http.call("PUT", path)
        if response.status_code != 404 and "nknown service" not in response.text:
            _check(response, "PUT", path)

    def close(self) -> None:
        self._http.close()

    def _put(self, path: str, **more: Any) -> None:
        _check(self._http.call("PUT", path, **more), "PUT", path)


class Nacos:
    """An ephemeral instance for each node, which Nacos forgets when our beats end.

    It tells instances apart by host, port and cluster, so nodes without a port have a cluster
    each.
    """

    def __init__(self, base_url: str, *, namespace: str, username: str, password: str) -> None:
        self._http = _Caller(base_url, {})
        self._namespace = namespace
        self._login = {"username": username, "password": password} if username else None
        self._token = ""

    def register(self, instance: Instance) -> None:
        labelled = {**instance.meta, "id": instance.id, "tags": ",".join(instance.tags)}
        form = {**self._names(instance), "metadata": json.dumps(labelled), "weight": "1"}
        self._call("POST", "/nacos/v1/ns/instance", data=form)

    def confirm(self, instance: Instance) -> None:
        names = self._names(instance)
        beat = {
            "cluster": names["clusterName"],
            "ip": instance.host,
            "port": instance.port,
            "scheduled": True,
            "serviceName": f"DEFAULT_GROUP@@{instance.service}",
            "weight": 1,
        }
        response = self._call(
            "PUT", "/nacos/v1/ns/instance/beat", params={**names, "beat": json.dumps(beat)}
        )
        if f'"code":{_NACOS_NOT_FOUND}' in response.text.replace(" ", ""):
            raise NotPublished

    def withdraw(self, instance: Instance) -> None:
        self._call("DELETE", "/nacos/v1/ns/instance", params=self._names(instance))

    def close(self) -> None:
        self._http.close()

    def _names(self, instance: Instance) -> dict[str, str]:
        cluster = "DEFAULT" if instance.port else re.sub("[^0-9A-Za-z]", "-", instance.id)
        names = {
            "serviceName": instance.service,
            "groupName": "DEFAULT_GROUP",
            "clusterName": cluster,
            "ip": instance.host,
            "port": str(instance.port),
            "ephemeral": "true",
        }
        return {**names, "namespaceId": self._namespace} if self._namespace else names

    def _call(self, method: str, path: str, **more: Any) -> Response:
        if self._login and not self._token:
            self._log_in()
        if self._token:
            more["params"] = {**more.get("params", {}), "accessToken": self._token}
        response = self._http.call(method, path, **more)
        if response.status_code in {401, 403}:
            self._token = ""  # it ran out, or the server was set up anew
        _check(response, method, path)
        return response

    def _log_in(self) -> None:
        path = "/nacos/v1/auth/login"
        response = self._http.call("POST", path, data=self._login)
        _check(response, "POST", path)
        try:
            self._token = str(response.json()["accessToken"])
        except (ValueError, KeyError, TypeError):
            raise RegistryAway(f"POST {path}: no accessToken in the answer") from None
