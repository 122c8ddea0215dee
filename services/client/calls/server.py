"""The server itself: whether it is ready, its nodes, queues, models and languages."""

from __future__ import annotations

from collections.abc import Mapping

from services.client.calls.reading import a, many, nothing, quoted
from services.client.server_views import LanguageView, ModelView, NodeView, QueueView
from services.client.steps import Call, call


def ready() -> Call[None]:
    """Raises unless the server takes tasks; asked once."""
    return call("GET", "/readyz", nothing, patient=False)


def queues() -> Call[list[QueueView]]:
    """The queues: how deep they are and who serves them."""
    return call("GET", "/v1/queues", many(QueueView, "queues"))


def models() -> Call[list[ModelView]]:
    """The models of the server's catalog, and how many workers serve each."""
    return call("GET", "/v1/models", many(ModelView, "models"))


def languages() -> Call[list[LanguageView]]:
    """Every language, whether it is heard, and what it can be translated into."""
    return call("GET", "/v1/languages", many(LanguageView, "languages"))


def nodes() -> Call[list[NodeView]]:
    """The workers; asked once."""
    return call("GET", "/v1/nodes", many(NodeView, "nodes"), patient=False)


def drain(node_id: str) -> Call[NodeView]:
    """Gives a worker nothing new; what runs there ends there."""
    return call("POST", f"{_node(node_id)}/drain", a(NodeView), repeatable=True)


def resume(node_id: str) -> Call[NodeView]:
    """Gives a worker work again, after a drain or while it is set aside."""
    return call("POST", f"{_node(node_id)}/resume", a(NodeView), repeatable=True)


def label(node_id: str, labels: Mapping[str, str | None]) -> Call[NodeView]:
    """Sets labels of a worker; None takes one away."""
    return call("PATCH", _node(node_id), a(NodeView), json={"labels": dict(labels)})


def _node(node_id: str) -> str:
    return f"/v1/nodes/{quoted(node_id)}"
