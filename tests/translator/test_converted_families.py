"""Each family from `transformers`, by CTranslate2's real converter, against `transformers` itself.

Runs where torch and transformers are installed: pip install 'fanscribe[convert]'. The models are
untrained, so words mean nothing; but both must read the same tokens and write the same words.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest
import sentencepiece
from tiny_families import (
    M2M_TOKENS,
    MADLAD_TOKENS,
    NLLB_TOKENS,
    merges_of,
    pieces_of,
    train_pieces,
)

from demo.grammar import LANGUAGES, sentences
from services.installing.converting import Wanted, convert, convert_from_hub
from services.installing.errors import CannotInstall, Unfit
from services.installing.hub import Hub
from services.installing.pulling import PARTIAL
from services.model_description import read_description
from translator_worker.engines import Row
from translator_worker.engines.ctranslate2 import CTranslate2Engine

sys.path.insert(0, str(Path(__file__).parents[1] / "installing"))

from hub_server import COMMIT, HubServer, Revision

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

pytestmark = [pytest.mark.long, pytest.mark.filterwarnings("ignore")]

TEXTS = [sentence.text("en") for sentence in sentences(6, seed=2, held_out=True)]
SIZES = {
    "d_model": 16, "encoder_layers": 1, "decoder_layers": 1, "encoder_attention_heads": 2,
    "decoder_attention_heads": 2, "encoder_ffn_dim": 32, "decoder_ffn_dim": 32, "init_std": 0.5,
}  # fmt: skip
LONGEST = 24


def write_vocabulary(path, tokens) -> None:
    path.write_text(json.dumps({token: number for number, token in enumerate(tokens)}))


def write_marian(folder, targets=()):
    source = pieces_of(train_pieces(folder / "source.spm", ["en"], 300))
    target = pieces_of(train_pieces(folder / "target.spm", ["de", "zh", "ja"], 900))
    tokens = ["</s>", "<unk>", *targets, *dict.fromkeys([*source, *target]), "<pad>"]
    write_vocabulary(folder / "vocab.json", tokens)
    tokenizer = transformers.MarianTokenizer(
        str(folder / "source.spm"), str(folder / "target.spm"), str(folder / "vocab.json"),
        source_lang="en", target_lang="de",
    )  # fmt: skip
    pad = len(tokens) - 1
    config = transformers.MarianConfig(
        vocab_size=len(tokens), pad_token_id=pad, decoder_start_token_id=pad, eos_token_id=0,
        forced_eos_token_id=None, scale_embedding=True, activation_function="swish", **SIZES,
    )  # fmt: skip
    model = transformers.MarianMTModel(config)
    model.final_logits_bias[0, pad] = -1e4
    return model, tokenizer


def write_m2m100(folder):
    train_pieces(folder / "sentencepiece.bpe.model", LANGUAGES, model_type="bpe")
    own = pieces_of(folder / "sentencepiece.bpe.model")
    write_vocabulary(folder / "vocab.json", ["<s>", "<pad>", "</s>", "<unk>", *own])
    codes = transformers.models.m2m_100.tokenization_m2m_100.FAIRSEQ_LANGUAGE_CODES["m2m100"]
    tokenizer = transformers.M2M100Tokenizer(
        str(folder / "vocab.json"), str(folder / "sentencepiece.bpe.model"),
        src_lang="en", tgt_lang="de",
        additional_special_tokens=[f"__{code}__" for code in codes],  # as its repository says
    )  # fmt: skip
    model = m2m_model(4 + len(own) + len(codes) + 8)
    return model, tokenizer


def write_nllb(folder):
    """With its `tokenizer.json`, which alone tells today's transformers the language tokens."""
    own = pieces_of(train_pieces(folder / "sentencepiece.bpe.model", LANGUAGES, model_type="bpe"))
    numbers = {token: n for n, token in enumerate(["<s>", "<pad>", "</s>", "<unk>", *own])}
    tokenizer = transformers.NllbTokenizer(
        numbers, merges_of(own), src_lang="eng_Latn", tgt_lang="deu_Latn"
    )
    return m2m_model(len(tokenizer)), tokenizer


def m2m_model(size: int):
    config = transformers.M2M100Config(
        vocab_size=size, pad_token_id=1, bos_token_id=0, eos_token_id=2,
        decoder_start_token_id=2, scale_embedding=True, activation_function="relu", **SIZES,
    )  # fmt: skip
    return transformers.M2M100ForConditionalGeneration(config)


def write_madlad(folder):
    path = train_pieces(
        folder / "spiece.model", LANGUAGES, user_defined_symbols=MADLAD_TOKENS, byte_fallback=True
    )
    write_tokenizer_of_t5(path, folder)
    tokenizer = transformers.PreTrainedTokenizerFast.from_pretrained(folder)
    config = transformers.T5Config(
        vocab_size=len(tokenizer), d_model=16, d_kv=8, d_ff=32, num_layers=1, num_heads=2,
        feed_forward_proj="gated-gelu", tie_word_embeddings=False, decoder_start_token_id=0,
        pad_token_id=1, eos_token_id=2, initializer_factor=3.0,
    )  # fmt: skip
    return transformers.T5ForConditionalGeneration(config), tokenizer


def write_tokenizer_of_t5(path, folder) -> None:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors

    model = sentencepiece.SentencePieceProcessor(model_file=str(path))
    numbers = range(model.get_piece_size())
    vocabulary = [(model.id_to_piece(number), model.get_score(number)) for number in numbers]
    tokenizer = Tokenizer(models.Unigram(vocabulary, unk_id=0, byte_fallback=True))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Sequence(
        [decoders.ByteFallback(), decoders.Metaspace(), decoders.Fuse()]
    )
    tokenizer.post_processor = processors.TemplateProcessing(
        single="$A </s>", special_tokens=[("</s>", 2)]
    )
    tokenizer.add_special_tokens(["<unk>", "<s>", "</s>"])
    tokenizer.save(str(folder / "tokenizer.json"))
    names = {"eos_token": "</s>", "pad_token": "<s>", "unk_token": "<unk>"}
    about = {"tokenizer_class": "PreTrainedTokenizerFast", **names}
    (folder / "tokenizer_config.json").write_text(json.dumps(about))


WRITERS = {
    "marian": write_marian,
    "marian of several targets": lambda folder: write_marian(folder, [">>deu<<", ">>cmn_Hans<<"]),
    "m2m100": write_m2m100,
    "nllb": write_nllb,
    "madlad": write_madlad,
}
TOLD = {
    "marian": ("", None),
    "marian of several targets": (">>deu<< ", None),
    "m2m100": ("", "__de__"),
    "nllb": ("", "deu_Latn"),
    "madlad": ("<2de> ", None),
}


OF_TODAY = int(transformers.__version__.partition(".")[0]) >= 5
only_today = pytest.mark.skipif(not OF_TODAY, reason="made by the NllbTokenizer of transformers 5")
only_before = pytest.mark.skipif(OF_TODAY, reason="transformers 5 cannot load a MADLAD")
ALL = [
    *("marian", "marian of several targets", "m2m100"),
    pytest.param("nllb", marks=only_today),
    pytest.param("madlad", marks=only_before),
]


class Overheard:
    def __init__(self, model) -> None:
        self.model, self.sources = model, []

    def translate_batch(self, sources, **options):
        self.sources += sources
        return self.model.translate_batch(sources, **options)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The original, its tokenizer, and the folder that it was converted to; by name, once."""
    kept = {}
    originals = {}

    def of(name):
        if name not in kept:
            folder = tmp_path_factory.mktemp("original") / "opus-mt-en-de"
            folder.mkdir()
            torch.manual_seed(11)
            model, tokenizer = WRITERS[name](folder)
            model.eval().save_pretrained(folder)
            if name != "madlad":
                tokenizer.save_pretrained(folder)
            root = tmp_path_factory.mktemp("models")
            done = convert(folder, Wanted("tiny", "float32"), root)
            kept[name] = (model, tokenizer, done.folder)
            originals[name] = folder
        return kept[name]

    of.originals = originals
    return of


def engine_of(folder) -> CTranslate2Engine:
    engine = CTranslate2Engine(folder, device="cpu", compute_type="float32")
    engine._longest = LONGEST
    return engine


@pytest.mark.parametrize("name", ALL)
def test_the_converted_model_reads_the_tokens_that_the_original_reads(made, name) -> None:
    _, tokenizer, folder = made(name)
    engine = engine_of(folder)
    engine._model = Overheard(engine._model)
    engine._run([Row(text, "en", "de") for text in TEXTS], beam_size=1, resplits=0)
    before, _ = TOLD[name]
    wanted = [
        tokenizer.convert_ids_to_tokens(tokenizer(before + text)["input_ids"]) for text in TEXTS
    ]
    assert engine._model.sources == wanted


@pytest.mark.parametrize("name", ALL)
def test_the_converted_model_writes_the_words_that_the_original_writes(made, name) -> None:
    model, tokenizer, folder = made(name)
    engine = engine_of(folder)
    before, begins = TOLD[name]
    forced = {"forced_bos_token_id": tokenizer.convert_tokens_to_ids(begins)} if begins else {}
    for text in TEXTS:
        (ours,) = engine._run([Row(text, "en", "de")], beam_size=1, resplits=0)
        read = tokenizer(before + text, return_tensors="pt", return_token_type_ids=False)
        with torch.no_grad():
            (numbers,) = model.generate(
                **read, num_beams=1, do_sample=False,
                max_new_tokens=LONGEST,
                suppress_tokens=[tokenizer.unk_token_id], **forced,
            )  # fmt: skip
        tokens = tokenizer.convert_ids_to_tokens(numbers)
        words = [token for token in tokens if not engine._markup.is_mark(token)]
        assert ours.text == engine._pieces.join(words)


@pytest.mark.parametrize(
    ("name", "family", "languages"),
    [
        ("m2m100", "m2m100", M2M_TOKENS),
        pytest.param("nllb", "nllb", NLLB_TOKENS, marks=only_today),
        pytest.param("madlad", "madlad", MADLAD_TOKENS, marks=only_before),
    ],
)
def test_the_converted_model_says_what_it_knows(made, name, family, languages) -> None:
    about = read_description(made(name)[2])
    assert about.family == family
    assert {"de", "en", "fr", "ja", "zh"} <= set(about.languages)
    assert len(about.languages) >= len(languages)


def test_a_marian_model_says_it_by_its_name_and_its_tokens(made) -> None:
    assert read_description(made("marian")[2]).pairs == [("en", "de")]
    several = read_description(made("marian of several targets")[2])
    assert several.pairs == [("en", "de"), ("en", "zh")]


@only_today
def test_a_madlad_is_not_converted_into_nonsense(tmp_path) -> None:
    folder = tmp_path / "madlad"
    folder.mkdir()
    model, _ = write_madlad(folder)
    model.save_pretrained(folder)
    with pytest.raises(CannotInstall, match="transformers<5"):
        convert(folder, Wanted("madlad", "int8"), tmp_path / "models")


@only_today
def test_a_model_whose_language_tokens_were_lost_is_refused(made, tmp_path) -> None:
    """As today's transformers loses NLLB's where there is no tokenizer.json."""
    folder = tmp_path / "bare"
    folder.mkdir()
    model, _ = write_nllb(folder)
    model.save_pretrained(folder)
    about = {"tokenizer_class": "NllbTokenizer", "src_lang": "eng_Latn"}
    (folder / "tokenizer_config.json").write_text(json.dumps(about))
    with pytest.raises(Unfit, match="none of the tokens"):
        convert(folder, Wanted("bare", "int8"), tmp_path / "models")
    assert not (tmp_path / "models" / "bare").exists()


def test_a_model_of_a_hub_is_brought_by_its_files_and_converted(made, tmp_path) -> None:
    _, _, folder = made("m2m100")
    server, root = HubServer(), tmp_path / "models"
    files = {path.name: path.read_bytes() for path in made.originals["m2m100"].iterdir()}
    server.revisions["org/m2m100", "main"] = Revision({**files, "README.md": b"# It"}, "mit")
    hub = Hub(server.endpoint)
    try:
        wanted = Wanted("ours", "float32")
        done = convert_from_hub(hub, "org/m2m100", "main", wanted, root, show=lambda *_: None)
    finally:
        hub.close()
        server.close()
    assert (done.lock.hub_id, done.lock.revision) == ("org/m2m100", COMMIT)
    assert (done.lock.licence, read_description(done.folder).licence) == ("mit", "mit")
    assert done.folder.joinpath("model.bin").read_bytes() == (folder / "model.bin").read_bytes()
    assert not any(seen.path.endswith("README.md") for seen in server.seen)
    assert [path.name for path in (root / PARTIAL).iterdir() if path.is_dir()] == []


@only_today
def test_a_tokenizer_json_alone_does_as_well(made, tmp_path) -> None:
    """As today's repositories of NLLB have it."""
    _, _, folder = made("nllb")
    other = shutil.copytree(folder, tmp_path / "other")
    original = made("nllb")[1]
    original.save_pretrained(tmp_path / "saved")
    shutil.copy(tmp_path / "saved" / "tokenizer.json", other)
    (other / "sentencepiece.bpe.model").unlink()
    rows = [Row(text, "en", "de") for text in TEXTS]
    one, two = (engine_of(each)._run(rows, beam_size=1, resplits=0) for each in (folder, other))
    assert one == two
