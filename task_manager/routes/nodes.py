"""The worker processes: how they are, and what operators order them."""

from __future__ import annotations

from fastapi import APIRouter, Depends

from services.model.access import Scope
from services.model.node import Node
from task_manager.auth import may
from task_manager.clock import moment
from task_manager.dependencies import TheClerk, ThePipeline, TheStore
from task_manager.pipeline import nodes
from task_manager.problems import responses
from task_manager.routes.bodies import require_json
from task_manager.schemas.node import NodeChange, NodesView, NodeView, TroubleView

router = APIRouter(prefix="/v1/nodes", tags=["nodes"])

_SEE, _ORDER = may(Scope.READ, Scope.WORKER), may(Scope.WORKER)


@router.get("", responses=responses(401, 403, 503), dependencies=[_SEE])
def list_nodes(store: TheStore) -> NodesView:
    """The worker processes that registered, live or not; those unseen for a day are forgotten."""
    now = store.now()
    return NodesView(nodes=[view(node, now) for node in store.nodes()])


@router.get("/{node_id}", responses=responses(401, 403, 404, 422, 503), dependencies=[_SEE])
def get_node(node_id: str, pipeline: ThePipeline, store: TheStore) -> NodeView:
    """One worker process."""
    return view(nodes.find(pipeline.ports, node_id), store.now())


@router.post(
    "/{node_id}/drain", responses=responses(401, 403, 404, 422, 503, 507), dependencies=[_ORDER]
)
def drain_node(node_id: str, pipeline: ThePipeline, store: TheStore, clerk: TheClerk) -> NodeView:
    """It is given nothing new; what runs there ends there. It stays so when it is started anew
    under the same name."""
    with clerk.noting("node.drain", node_id):
        return view(nodes.drain(pipeline.ports, node_id), store.now())


@router.post(
    "/{node_id}/resume", responses=responses(401, 403, 404, 422, 503, 507), dependencies=[_ORDER]
)
def resume_node(node_id: str, pipeline: ThePipeline, store: TheStore, clerk: TheClerk) -> NodeView:
    """It is given work again: ends a drain, and a set-aside with its troubles."""
    with clerk.noting("node.resume", node_id):
        return view(nodes.resume(pipeline.ports, node_id), store.now())


@router.patch(
    "/{node_id}",
    responses=responses(400, 401, 403, 404, 415, 422, 503, 507),
    dependencies=[_ORDER, Depends(require_json)],
)
def change_node(
    node_id: str, wanted: NodeChange, pipeline: ThePipeline, store: TheStore, clerk: TheClerk
) -> NodeView:
    """Sets labels, or takes them away; jobs that ask for them follow at once."""
    with clerk.noting("node.label", node_id):
        return view(nodes.relabel(pipeline.ports, node_id, wanted.labels), store.now())


def view(node: Node, now: float) -> NodeView:
    """`now` by the store's clock."""
    shown = node.model_dump(include=set(NodeView.model_fields))
    return NodeView(
        **shown
        | {
            "state": node.state(now),
            "live": node.live,
            "free": node.free,
            "labels": node.all_labels,
            "registered_at": moment(node.registered_at),
            "seen_at": moment(node.seen_at),
            "lost_at": moment(node.lost_at),
            "set_aside_until": moment(node.set_aside_until),
            "troubles": [TroubleView(at=moment(one.at), job=one.job) for one in node.troubles],
            "speeds": {queue: round(factor, 4) for queue, factor in node.factors.items()},
        }
    )
