"""The composition root: settings in, the whole manager out; nothing happens at import."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.middleware.cors import CORSMiddleware

from services.model.catalog import Catalog
from services.models_folder import load_catalog
from services.queue import Announcer
from services.settings import Settings
from services.storage.opening import open_objects
from services.storage.protocol import ObjectStore
from task_manager import auth, links, pace, problems, request_ids
from task_manager.admission import Admission, Crowd
from task_manager.callers import Callers
from task_manager.feed import Feeds
from task_manager.hot_cache import open_hot_cache
from task_manager.loopback import LoopbackOnly
from task_manager.metrics import Gauges, Timed
from task_manager.pipeline import Pipeline
from task_manager.routes import (
    asr,
    audit,
    corrections,
    dead,
    discovery,
    events,
    health,
    items,
    keys,
    metrics,
    nodes,
    openai,
    results,
    subtitles,
    tasks,
    terms,
    uploads,
    webhooks,
    worker,
)
from task_manager.store.opening import open_store
from task_manager.store.protocol import Store
from task_manager.ticker import Ticker

# What pages of the allowed origins may send and read. Keys come in a header, never as a cookie.
_BROWSERS: dict[str, Any] = {
    "allow_methods": ["GET", "POST", "PUT", "PATCH", "DELETE"],
    "allow_headers": [
        "Authorization",
        "Content-Digest",
        "Content-Type",
        "Idempotency-Key",
        "Last-Event-ID",
        request_ids.HEADER,
    ],
    "expose_headers": [
        "ETag",
        "Location",
        "Retry-After",
        "X-Fanscribe-Complete",
        "X-Fanscribe-Codebook",
        "X-Fanscribe-Revision",
        request_ids.HEADER,
    ],
    "max_age": 600,
}

_ABOUT = """Transcribe speech once and fan it out to every language.

Send audio files and texts, name the target languages, and fetch one packed result:
`result[language][text id][source]`, where source `A` is what was heard and `T` the reference text.
Every error has the same envelope with a stable `code`."""


@dataclass(frozen=True, slots=True)
class Application:
    """Everything that a manager process is made of. The ticker is not started yet; setting
    `stopping` ends open event streams."""

    settings: Settings
    store: Store
    objects: ObjectStore
    catalog: Catalog
    pipeline: Pipeline
    ticker: Ticker
    public: FastAPI
    workers: FastAPI
    stopping: threading.Event


class Described(FastAPI):
    """Its OpenAPI document also has the shape of refusals, and links between the routes; and where
    there is no key, none is asked for."""

    def openapi(self) -> dict[str, Any]:
        if self.openapi_schema is None:
            document = super().openapi()
            problems.define(document)
            links.add(document)
            if not self.state.settings.api_key.get_secret_value():
                auth.waive(document)
        return super().openapi()


def build(settings: Settings) -> Application:
    """Opens what the settings name and wires it up."""
    store = open_store(settings)
    objects = open_objects(settings)
    catalog = load_catalog(settings)
    pipeline = Pipeline(store, objects, catalog, settings)
    pipeline.ports.meter.read_with(Gauges(pipeline.ports))
    stopping = threading.Event()
    return Application(
        settings=settings,
        store=store,
        objects=objects,
        catalog=catalog,
        pipeline=pipeline,
        ticker=Ticker(pipeline, Announcer(settings.broker_url)),
        public=public_app(pipeline, stopping),
        workers=workers_app(pipeline, stopping),
        stopping=stopping,
    )


def public_app(pipeline: Pipeline, stopping: threading.Event) -> FastAPI:
    """What users see."""
    app = _app("Fanscribe", _ABOUT, pipeline, stopping)
    for module in (
        tasks,
        events,
        results,
        items,
        corrections,
        subtitles,
        uploads,
        dead,
        nodes,
        discovery,
        keys,
        audit,
        openai,
        asr,
        health,
    ):
        app.include_router(module.router)
    app.include_router(webhooks.router)
    app.include_router(terms.router)
    app.include_router(metrics.public)
    app.add_exception_handler(events.AllTold, events.all_told)
    settings = pipeline.ports.settings
    app.state.admission = Admission(pipeline.ports)
    app.state.callers = Callers(pipeline.ports.store, settings)
    app.state.hot = open_hot_cache(settings, pipeline.ports.meter)
    app.state.feeds = Feeds(pipeline.ports.store, stopping)
    app.state.largest_body = pace.MAX_BODY
    app.add_middleware(Crowd, meter=pipeline.ports.meter)
    if settings.origins:
        app.add_middleware(CORSMiddleware, allow_origins=settings.origins, **_BROWSERS)
    if not settings.api_key.get_secret_value():
        app.add_middleware(LoopbackOnly)
    return app


def workers_app(pipeline: Pipeline, stopping: threading.Event) -> FastAPI:
    """What workers call, on a listener of its own."""
    app = _app("Fanscribe callbacks", "What workers call.", pipeline, stopping)
    app.add_exception_handler(worker.Unsigned, worker.unsigned)
    app.include_router(worker.callbacks)
    app.include_router(health.router)
    app.include_router(metrics.internal)
    settings = pipeline.ports.settings
    if settings.objects_reached_by == "manager":
        app.include_router(worker.objects)
    app.state.largest_body = pace.MAX_CALLBACK
    if not any(settings.callback_secrets):
        app.add_middleware(LoopbackOnly)
    return app


def _app(title: str, about: str, pipeline: Pipeline, stopping: threading.Event) -> FastAPI:
    app = Described(
        title=title,
        description=about,
        version=health.release(),
        redirect_slashes=False,
        generate_unique_id_function=_name_of,
    )
    app.state.pipeline = pipeline
    app.state.settings = pipeline.ports.settings
    app.state.stopping = stopping
    problems.install(app)
    app.add_middleware(Timed, meter=pipeline.ports.meter)
    return app


def _name_of(route: APIRoute) -> str:
    return route.name
