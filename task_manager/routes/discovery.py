"""What the server offers and how it stands: code book, languages, models, nodes, queues."""

from __future__ import annotations

from fastapi import APIRouter, Depends

from services.model.codebook import BOOK, CODEBOOK_VERSION, code_of
from services.model.languages import LANGUAGES
from services.model.node import Node
from task_manager import auth
from task_manager.clock import moment
from task_manager.dependencies import TheCatalog, ThePipeline, TheStore
from task_manager.problems import responses
from task_manager.schemas.discovery import (
    CodebookView,
    LanguagesView,
    LanguageView,
    ModelsView,
    ModelView,
    NodesView,
    NodeView,
    QueuesView,
    QueueView,
)
from task_manager.store.protocol import QueueDepth

router = APIRouter(
    prefix="/v1",
    tags=["discovery"],
    dependencies=[Depends(auth.owner)],
    responses=responses(401, 403, 503),
)


@router.get("/codebook")
def get_codebook() -> CodebookView:
    """The numbers that stand for languages in coded packs; append-only."""
    return CodebookView(
        version=CODEBOOK_VERSION, languages={str(code): tag for code, tag in BOOK.items()}
    )


@router.get("/languages")
def list_languages(catalog: TheCatalog) -> LanguagesView:
    """Every language by its tag, and what can be done with it here."""
    ears = [entry for entry in catalog.offered if entry.kind == "transcribe"]
    return LanguagesView(
        languages=[
            LanguageView(
                language=tag,
                name=language.name,
                code=code_of(tag),
                heard=any(entry.hears(tag) for entry in ears),
                into=catalog.served(tag),
            )
            for tag, language in LANGUAGES.items()
        ]
    )


@router.get("/models")
def list_models(catalog: TheCatalog, pipeline: ThePipeline) -> ModelsView:
    """The catalog, and which models are being served."""
    live = pipeline.live_nodes()
    offered = {entry.name for entry in catalog.offered}
    return ModelsView(
        models=[
            ModelView(
                **entry.model_dump(exclude={"location"}),
                offered=entry.name in offered,
                nodes=sum(entry.name in node.models for node in live),
            )
            for entry in catalog.entries.values()
        ]
    )


@router.get("/nodes")
def list_nodes(store: TheStore, pipeline: ThePipeline) -> NodesView:
    """The worker processes that registered, live or not."""
    live = {node.id for node in pipeline.live_nodes()}
    return NodesView(nodes=[_node(node, live=node.id in live) for node in store.nodes()])


def _node(node: Node, *, live: bool) -> NodeView:
    known = node.model_dump(exclude={"registered_at", "seen_at"})
    return NodeView(
        **known,
        registered_at=moment(node.registered_at),
        seen_at=moment(node.seen_at),
        free=max(0, node.slots - node.running) if live and not node.draining else 0,
        live=live,
    )


@router.get("/queues")
def list_queues(store: TheStore, pipeline: ThePipeline) -> QueuesView:
    """Every queue that has work or nodes: how deep it is and who serves it."""
    now = store.now()
    live = [node for node in pipeline.live_nodes() if not node.draining]
    depths = {depth.queue: depth for depth in store.queue_depths(now)}
    names = sorted({*depths, *(queue for node in live for queue in node.queues)})
    return QueuesView(queues=[_queue(name, depths.get(name), live, now) for name in names])


def _queue(name: str, depth: QueueDepth | None, live: list[Node], now: float) -> QueueView:
    serving = [node for node in live if name in node.queues]
    known = depth or QueueDepth(name, 0, 0, 0, None)
    oldest = known.oldest_due
    return QueueView(
        queue=name,
        waiting=known.waiting,
        due=known.due,
        running=known.running,
        oldest_due_seconds=None if oldest is None else max(0.0, now - oldest),
        nodes=len(serving),
        slots=sum(node.slots for node in serving),
        no_node=bool(known.waiting) and not serving,
    )
