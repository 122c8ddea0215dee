"""The spoken corpus: what training hears of sentences with a made-up name in them."""

from pathlib import Path

from demo.names import is_held_out
from demo.train.clips import NAMED, SHARD, Pool, speak


def test_a_shard_of_names_holds_none_that_is_held_out_and_is_spoken_once(tmp_path: Path) -> None:
    (path,) = speak(tmp_path, count=0, named=1, workers=1)
    written = path.stat().st_mtime_ns
    assert list(speak(tmp_path, count=0, named=SHARD, workers=1)) == [path]
    assert path.stat().st_mtime_ns == written
    (tmp_path / f"{NAMED}-0001.part.npz").write_bytes(b"a shard that was broken off")
    pool = Pool.load(tmp_path)
    assert len(pool.named) == SHARD
    assert pool.clips == {"en": [], "zh": []}
    for clip in pool.named:
        assert not is_held_out(clip.name)
        at = clip.text.index(clip.name)
        assert at in {offset for _, _, offset in clip.words}
        assert 0 < clip.words[-1][1] <= len(clip.audio) / 16000 + 0.01
        assert clip.language == "en"
        assert clip.phonemes
