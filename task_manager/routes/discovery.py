"""What the server offers and how it stands: code book, languages, models, queues."""

from __future__ import annotations

from fastapi import APIRouter

from services.model.access import Scope
from services.model.catalog import ModelEntry
from services.model.codebook import BOOK, CODEBOOK_VERSION, code_of
from services.model.languages import LANGUAGES
from services.model.node import Node, takers
from services.models_folder import facts
from task_manager import openai_models
from task_manager.auth import may
from task_manager.dependencies import TheCatalog, ThePipeline, TheStore
from task_manager.pipeline import estimate
from task_manager.pipeline.ports import Ports
from task_manager.problems import responses
from task_manager.schemas.discovery import (
    CodebookView,
    LanguagesView,
    LanguageView,
    ModelsView,
    ModelView,
    OneModelView,
    OpenAIModel,
    QueuesView,
    QueueView,
)
from task_manager.store.protocol import QueueDepth

router = APIRouter(
    prefix="/v1",
    tags=["discovery"],
    dependencies=[may(*Scope)],
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
    """The catalog, and which models are being served; also as OpenAI's clients read it."""
    live = pipeline.live_nodes()
    return ModelsView(
        data=[OpenAIModel(id=name) for name in openai_models.names(catalog)],
        models=[_model(pipeline.ports, entry, live) for entry in catalog.entries.values()],
    )


@router.get("/models/{name:path}", responses=responses(404, 422))
def get_model(name: str, catalog: TheCatalog, pipeline: ThePipeline) -> OneModelView:
    """One model by its name, or by the name of OpenAI's that means the preferred one."""
    entry = openai_models.found(catalog, name)
    return OneModelView(id=name, model=_model(pipeline.ports, entry, pipeline.live_nodes()))


def _model(ports: Ports, entry: ModelEntry, live: list[Node]) -> ModelView:
    return ModelView(
        **facts(entry, ports.settings),
        writes_english=entry.writes_english,
        offered=entry in ports.catalog.offered,
        nodes=sum(entry.name in node.models for node in live),
    )


@router.get("/queues")
def list_queues(store: TheStore, pipeline: ThePipeline) -> QueuesView:
    """Every queue that has work or nodes: how deep it is and who serves it."""
    now = store.now()
    nodes = [node for node in store.nodes() if node.may_work]
    depths = {depth.queue: depth for depth in store.queue_depths(now)}
    names = sorted({*depths, *(queue for node in nodes for queue in node.queues)})
    ports = pipeline.ports
    return QueuesView(queues=[_queue(ports, name, depths.get(name), nodes, now) for name in names])


def _queue(
    ports: Ports, name: str, depth: QueueDepth | None, nodes: list[Node], now: float
) -> QueueView:
    serving = takers(nodes, name, now)
    known = depth or QueueDepth(name, 0, 0, 0, None)
    oldest = known.oldest_due
    found = estimate.of_queue(ports, known, serving)
    return QueueView(
        queue=name,
        waiting=known.waiting,
        due=known.due,
        running=known.running,
        oldest_due_seconds=None if oldest is None else max(0.0, now - oldest),
        nodes=len(serving),
        slots=sum(node.capacity for node in serving),
        no_node=bool(known.waiting) and not serving,
        expected_seconds=_rounded(found.starts_s, 1),
        work_seconds=_rounded(found.work_s, 1),
        seconds_per_size=_rounded(found.each_s, 4),
    )


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)
