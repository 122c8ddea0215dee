"""A tiny untrained CTranslate2 model, and an attempt that keeps what it is told."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import ctranslate2
import numpy as np
import pytest
import sentencepiece
from tiny_families import END, POSITIONS, WIDTH, fill

from demo.grammar import LANGUAGES, sentences
from services import settings
from services.model.chat import Usage
from services.model.messages import Grant, Limits
from services.model.stages import Place, TranslateSpec
from services.model.transcript import Body


def _train_vocabulary(folder: Path) -> None:
    texts = [
        s.text(language) for s in sentences(300, seed=1, held_out=True) for language in LANGUAGES
    ]
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(texts),
        model_prefix=str(folder / "sentencepiece"),
        vocab_size=1000,
        character_coverage=1.0,
        byte_fallback=True,
        control_symbols=[f"__{language}__" for language in LANGUAGES],
        num_threads=1,
        minloglevel=2,
    )


def _vocabulary(folder: Path) -> list[str]:
    pieces = sentencepiece.SentencePieceProcessor(model_file=str(folder / "sentencepiece.model"))
    return [pieces.id_to_piece(number) for number in range(pieces.get_piece_size())]


@pytest.fixture(scope="session")
def vocabulary_folder(tmp_path_factory) -> Path:
    """Where the SentencePiece model of all tiny models lies."""
    folder = tmp_path_factory.mktemp("vocabulary")
    _train_vocabulary(folder)
    return folder


@pytest.fixture(scope="session")
def make_model(tmp_path_factory, vocabulary_folder):
    """A model folder; `end_bias` is how much it likes to come to an end."""

    def make(*, end_bias: float, family: str = "demo") -> Path:
        folder = tmp_path_factory.mktemp("tiny-nmt")
        shutil.copy(vocabulary_folder / "sentencepiece.model", folder)
        vocabulary = _vocabulary(folder)
        spec = ctranslate2.specs.TransformerSpec.from_config((1, 1), 2)
        fill(spec, np.random.default_rng(5), len(vocabulary))
        for side in (spec.encoder, spec.decoder):
            drawn = np.random.default_rng(6).normal(0, 0.5, (POSITIONS, WIDTH))
            side.position_encodings.encodings = drawn.astype(np.float32)
        spec.decoder.projection.bias[vocabulary.index(END)] = end_bias
        spec.config.decoder_start_token = END
        spec.config.add_source_bos = spec.config.add_source_eos = False
        spec.register_source_vocabulary(vocabulary)
        spec.register_target_vocabulary(vocabulary)
        spec.validate()
        spec.optimize(quantization="int8")
        spec.save(str(folder))
        about = {"family": family, "positions": POSITIONS, "tokenizer_file": "sentencepiece.model"}
        (folder / "fanscribe.json").write_text(json.dumps(about))
        return folder

    return make


@pytest.fixture(scope="session")
def ending_model(make_model) -> Path:
    """A model whose sentences end after a while."""
    return make_model(end_bias=1.5)


@pytest.fixture(scope="session")
def endless_model(make_model) -> Path:
    """A model that never comes to an end."""
    return make_model(end_bias=-100.0)


@pytest.fixture
def settings_are(monkeypatch):
    """Settings of the process, by environment as a worker gets them."""

    def set_to(**values: object) -> None:
        for name, value in values.items():
            monkeypatch.setenv(f"FANSCRIBE_{name.upper()}", str(value))
        settings.load.cache_clear()

    yield set_to
    settings.load.cache_clear()


class KeepingWork:
    """The `Work` of one attempt, with everything in memory."""

    def __init__(self, grant: Grant, folder: Path) -> None:
        self.grant = grant
        self.folder = folder
        self.fractions: list[float] = []
        self.checks = 0
        self.stop_at: int | None = None
        self.stop_with: Exception | None = None
        self.paid: list[Usage] = []
        self.memory: dict[str, str] = {}  # digest → translation, as the manager's
        self.asked: list[list[str]] = []

    def fetch(self, place: Place) -> Path:
        raise NotImplementedError

    fetch_range = keep_file = fetch

    def read(self, body: Body, url: str | None) -> str:
        assert body.inline is not None
        return body.inline

    def keep(self, place: Place, text: str) -> Body:
        return Body(inline=text, size=len(text.encode()))

    def progress(self, fraction: float, *, segments=(), sentences=(), language=None) -> None:
        self.fractions.append(fraction)

    def used(self, usage: Usage) -> None:
        self.paid.append(usage)

    def remember(self, texts) -> None:
        self.memory.update(texts)

    def check(self) -> None:
        self.checks += 1
        if self.checks == self.stop_at and self.stop_with is not None:
            raise self.stop_with


@pytest.fixture
def work_of(tmp_path):
    """The attempt of a spec."""

    def make(
        spec: TranslateSpec, text_id: str = "1", job: str = "t/translate/0/zh/A/0/0"
    ) -> KeepingWork:
        grant = Grant(
            job=job,
            task="t",
            text_id=text_id,
            attempt=1,
            spec=spec,
            limits=Limits(soft_s=60, hard_s=90, stuck_s=60),
        )
        return KeepingWork(grant, tmp_path)

    return make
