"""The stage `translate`: sentences out of the words, through the engine, into a transcript."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from services.model.catalog import ModelEntry
from services.model.errors import FailureClass, JobFailed
from services.model.glossary import GlossaryUse, used
from services.model.stages import TranslateResult, TranslateSpec
from services.model.transcript import Segment, Transcript, join_texts
from services.models_folder import is_here, locate, own_catalog
from services.sentences import Sentence, of_segments, of_text
from services.settings import Settings, load
from services.worker.bundle import BundleStage
from services.worker.fitness import check_fitness, note_seen
from services.worker.model_cache import ModelCache
from services.worker.work import Work
from translator_worker.batches import Answered, Asked, Talk, sharing_batches
from translator_worker.depending import of_folder, of_service
from translator_worker.engines import Engine, Row, Translation
from translator_worker.engines.judged import JudgedEngine
from translator_worker.engines.llm import ChatEngine, Watch
from translator_worker.engines.pivot import PivotEngine
from translator_worker.engines.protected import ProtectedEngine
from translator_worker.engines.scripts import InEitherScript, ScriptEngine
from translator_worker.glossary import Terms
from translator_worker.remembering import in_context, one_by_one
from translator_worker.taking_over import known_of


@dataclass(frozen=True, slots=True)
class Loaded:
    """An engine, and what its translations depend `on`; empty where nothing is remembered."""

    engine: Engine
    on: str = ""


_models: ModelCache[Loaded] = ModelCache()
_NOTHING = Answered([], seconds=0.0, recalled=0)


def translate(spec: TranslateSpec, work: Work) -> Talk:
    """Translates what the spec names, in batches that it may share, but what it has translated
    already; sentences get ids from 0."""
    sentences, duration = _sentences(spec, work)
    known = known_of(spec.former, spec.source_language, work.read)
    found = [known.find(sentence) for sentence in sentences]
    terms = Terms(spec.glossary, [each.text for each in sentences]) if spec.glossary else None
    rows = [
        Row(sentence.text, spec.source_language, spec.target_language, terms)
        for sentence, there in zip(sentences, found, strict=True)
        if there is None
    ]
    answered = (yield _asked(rows, spec, work)) if rows else _NOTHING
    made = iter(answered.translations)
    translations = [next(made) if there is None else there for there in found]
    transcript = _transcript(spec.target_language, sentences, translations, duration)
    return TranslateResult(
        text=work.keep(spec.output_text, transcript.text),
        transcript=work.keep(spec.output, transcript.model_dump_json()),
        segments=len(transcript.segments),
        engine_seconds=answered.seconds,
        recalled=answered.recalled,
        glossary=_use(terms, sentences, translations),
        flags=Counter(flag for each in translations for flag in each.flags),
    )


def _use(
    terms: Terms | None, sentences: Sequence[Sentence], translations: Sequence[Translation]
) -> GlossaryUse | None:
    """What came of the glossary, also in sentences that were translated before."""
    if terms is None:
        return None
    pairs = zip(sentences, translations, strict=True)
    return used(terms.judged(sentence.text, made.text) for sentence, made in pairs)


def _asked(rows: Sequence[Row], spec: TranslateSpec, work: Work) -> Asked:
    """What is to be made of the rows, and by whom."""
    entry = _entry(spec.model)
    if entry.chat is not None:
        names = in_context(rows, of_service(entry), entry.chat.context)
        return Asked(_whole(_chat(entry, work), entry), rows, None, names, whole=True)
    loaded = open_engine(entry, work)
    names = one_by_one(rows, f"{loaded.on} {spec.beam_size}") if loaded.on else []
    return Asked(_whole(loaded.engine, entry), rows, spec.beam_size, names)


def _whole(engine: Engine, entry: ModelEntry) -> Engine:
    """The engine of an entry with what is around every engine. A stub knows no language."""
    whole = ProtectedEngine(InEitherScript(engine, entry), masks=entry.chat is None)
    return whole if entry.engine == "stub" else JudgedEngine(whole)


@dataclass(frozen=True, slots=True)
class _Chat:
    """A chat service as an engine: it is shown all lines of the job, for one explains the other."""

    engine: ChatEngine
    watch: Watch

    def translate(
        self,
        rows: Sequence[Row],
        *,
        beam_size: int | None,  # noqa: ARG002 - the protocol's; a service searches as it likes
    ) -> list[Translation]:
        if not rows:
            return []
        texts = [row.text for row in rows]
        first = rows[0]
        return self.engine.translate(
            texts, first.source, first.target, self.watch, terms=first.terms
        )


def _chat(entry: ModelEntry, work: Work) -> _Chat:
    settings = load()
    if entry.chat is None or not is_here(entry, settings):
        raise JobFailed(
            FailureClass.PERMANENT,
            "llm_key_missing",
            f"This node has no key for {entry.name}: set FANSCRIBE_LLM_KEYS.",
        )
    key = settings.chat_keys.get(entry.chat.key, "")
    engine = ChatEngine(entry.name, entry.chat, key, pause_s=settings.retry_scale)
    return _Chat(engine, Watch(work.check, work.progress, work.used))


def _entry(model: str) -> ModelEntry:
    """The entry of this node's catalog. Raises JobFailed where it has none."""
    entry = own_catalog().entry(model)
    if entry is None or entry.kind != "translate":
        raise JobFailed(
            FailureClass.PERMANENT,
            "unknown_model",
            f"This node's catalog has no translation model {model!r}.",
        )
    return entry


def open_engine(entry: ModelEntry, work: Work) -> Loaded:
    """The engine of a model that runs in this process; a real one is loaded once.

    Raises JobFailed where this node cannot run it.
    """
    if entry.engine == "opencc":
        return Loaded(ScriptEngine())
    if entry.engine == "stub":
        from translator_worker.engines.stub import StubEngine  # noqa: PLC0415 - for tests only

        return Loaded(StubEngine.of(work.grant.text_id))
    return _models.get(entry.name, lambda: _load(entry, load()))


def _load(entry: ModelEntry, settings: Settings) -> Loaded:
    if entry.hops:
        loaded = {hop.name: _load(hop, settings) for hop in entry.hops}
        into, out = (loaded[hop.name] for hop in entry.hops)
        on = f"{into.on} {entry.pivot} {out.on}"
        return Loaded(PivotEngine(into.engine, out.engine, entry.pivot), on)
    folder = locate(entry, settings)
    if folder is None:
        raise JobFailed(
            FailureClass.PERMANENT,
            "model_missing",
            f"The model {entry.name} is not in this node's models folder.",
        )
    check_fitness(folder)
    from translator_worker.engines.ctranslate2 import CTranslate2Engine  # noqa: PLC0415 - heavy

    run = {"device": settings.device, "compute_type": settings.compute_type}
    engine = CTranslate2Engine(folder, family=entry.family, **run)
    if not entry.demo:
        note_seen(folder)
    return Loaded(engine, of_folder(folder, entry, **run))


def _sentences(spec: TranslateSpec, work: Work) -> tuple[list[Sentence], float | None]:
    """The sentences to translate, and the duration of the audio they come from."""
    if spec.transcript is None:
        return of_text(spec.text or "", spec.source_language), None
    heard = Transcript.model_validate_json(work.read(spec.transcript, spec.transcript_url))
    segments = heard.segments[spec.first : spec.last]
    return of_segments(segments, spec.source_language), heard.duration


def _transcript(
    language: str,
    sentences: Sequence[Sentence],
    translations: Sequence[Translation],
    duration: float | None,
) -> Transcript:
    """Translations with the times of their sentences; a text keeps its lines."""
    pairs = list(zip(sentences, translations, strict=True))
    lines = [
        join_texts([translation.text for _, translation in line], language)
        for _, line in groupby(pairs, key=lambda pair: pair[0].paragraph)
    ]
    return Transcript(
        language=language,
        text="\n".join(lines),
        segments=[
            Segment(
                id=number,
                start=sentence.start,
                end=sentence.end,
                text=translation.text,
                channel=sentence.channel,
                flags=translation.flags,
            )
            for number, (sentence, translation) in enumerate(pairs)
        ],
        duration=duration,
    )


BUNDLES: dict[str, BundleStage] = {"translate": sharing_batches(translate)}
