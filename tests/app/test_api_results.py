"""The result as it is served: bytes, order, spelling, look-ups."""

from __future__ import annotations

import gzip
import json

from running_manager import error_of

SAMPLE = (
    '{"zh":{"文本编号1":{"A":"翻译结果","T":"文本翻译结果"},'
    '"文本编号2":{"A":"翻译结果","T":"文本翻译结果"}},'
    '"jp":{"文本编号1":{"A":"翻译结果","T":"文本翻译结果"},'
    '"文本编号2":{"A":"翻译结果","T":"文本翻译结果"}}}'
)


def brief(manager):
    """The task of the first brief, with a worker that translates as its sample says."""
    for language in ("zh", "ja"):
        manager.driver.texts[language, "the text"] = "文本翻译结果"
        for text_id in ("文本编号1", "文本编号2"):
            manager.driver.texts[language, f"Heard {text_id}."] = "翻译结果"
    items = [
        {"text_id": text_id, "audio": manager.upload(), "text": "the text"}
        for text_id in ("文本编号1", "文本编号2")
    ]
    options = {"language_spelling": "caller"}
    return manager.finished(items=items, targets=["zh", "jp"], language="en", options=options)


def test_the_expanded_pack_is_the_sample_of_the_brief_byte_for_byte(manager) -> None:
    task = brief(manager)
    answer = manager.api.get(f"/v1/tasks/{task['id']}/result", params={"form": "expanded"})
    assert answer.content.decode() == SAMPLE
    assert answer.headers["x-fanscribe-complete"] == "true"
    assert answer.headers["x-fanscribe-codebook"] == "1"


def test_the_coded_pack_of_the_brief_names_languages_by_number(manager) -> None:
    task = brief(manager)
    answer = manager.api.get(f"/v1/tasks/{task['id']}/result", params={"form": "coded"})
    cells = '{"A":"翻译结果","T":"文本翻译结果"}'
    texts = f'{{"文本编号1":{cells},"文本编号2":{cells}}}'
    assert answer.content.decode() == (
        '{"schema":1,"codebook":1,"complete":true,"missing":[],'
        f'"data":{{"1":{texts},"3":{texts}}}}}'
    )


def test_one_language_is_served_as_its_pack_lies_in_the_store(manager) -> None:
    task = brief(manager)
    answer = manager.api.get(
        f"/v1/tasks/{task['id']}/result", params={"form": "coded", "language": "jp"}
    )
    pack = manager.application.store.pack(task["id"], "ja")
    assert answer.content == pack.body.encode()


def test_several_languages_come_in_the_order_of_the_task(shared) -> None:
    item = {"text": "Hello.", "language": "en"}
    task = shared.finished(items=[item], targets=["ja", "de", "zh"])
    query = {"language": ["zh", "ja"], "form": "expanded"}
    answer = shared.api.get(f"/v1/tasks/{task['id']}/result", params=query)
    assert list(answer.json()) == ["ja", "zh"]


def test_order_is_the_callers_and_never_sorted(shared) -> None:
    items = [{"text_id": name, "text": "x", "language": "en"} for name in ("b", "a", "10", "9")]
    task = shared.finished(items=items, targets=["ja", "de", "zh"])
    expanded = shared.api.get(f"/v1/tasks/{task['id']}/result").json()
    assert list(expanded) == ["ja", "de", "zh"]
    assert list(expanded["de"]) == ["b", "a", "10", "9"]


def test_the_same_result_is_the_same_bytes_and_the_same_tag(shared) -> None:
    task = shared.finished(items=[{"text": "x", "language": "en"}], targets=["zh"])
    url = f"/v1/tasks/{task['id']}/result"
    first, second = shared.api.get(url), shared.api.get(url)
    assert first.content == second.content
    assert first.headers["etag"] == second.headers["etag"]
    other = shared.api.get(url, params={"form": "coded"})
    assert other.headers["etag"] != first.headers["etag"]


def test_a_known_tag_is_answered_304_without_a_body(shared) -> None:
    task = shared.finished(items=[{"text": "x", "language": "en"}], targets=["zh"])
    url = f"/v1/tasks/{task['id']}/result"
    tag = shared.api.get(url).headers["etag"]
    answer = shared.api.get(url, headers={"if-none-match": f'"other", {tag}'})
    assert (answer.status_code, answer.content) == (304, b"")
    assert answer.headers["etag"] == tag
    assert shared.api.get(url, headers={"if-none-match": '"other"'}).status_code == 200


def test_a_long_result_is_packed_for_the_wire_and_reads_the_same(shared) -> None:
    task = shared.finished(items=[{"text": "long " * 500, "language": "en"}], targets=["zh"])
    url = f"/v1/tasks/{task['id']}/result"
    plain = shared.api.get(url, headers={"accept-encoding": "identity"})
    with shared.api.stream("GET", url, headers={"accept-encoding": "gzip"}) as answer:
        raw = b"".join(answer.iter_raw())
        assert answer.headers["content-encoding"] == "gzip"
        assert answer.headers["etag"] != plain.headers["etag"]
    assert gzip.decompress(raw) == plain.content
    assert "content-encoding" not in plain.headers


def test_a_failed_language_is_missing_and_the_others_are_whole(manager) -> None:
    manager.driver.broken = {"de"}
    items = [{"text_id": "1", "text": "x", "language": "en"}]
    task = manager.finished(items=items, targets=["zh", "de"])
    assert task["state"] == "partial"
    answer = manager.api.get(f"/v1/tasks/{task['id']}/result", params={"form": "coded"})
    assert answer.headers["x-fanscribe-complete"] == "false"
    coded = answer.json()
    assert (coded["complete"], coded["missing"]) == (False, [[4, "1", "T"]])
    assert coded["data"] == {"1": {"1": {"T": "[zh] x"}}, "4": {}}


def test_the_result_of_a_running_task_is_409_and_says_what_is_missing(shared) -> None:
    task = shared.create(items=[{"text": "x", "language": "en"}], targets=["zh", "de"])
    answer = shared.api.get(f"/v1/tasks/{task['id']}/result")
    assert error_of(answer) == (409, "not_finished", None)
    assert "Missing so far: zh/1/T, de/1/T." in answer.json()["error"]["message"]


def test_a_target_equal_to_the_source_is_an_identity_entry(shared) -> None:
    items = [{"text_id": "1", "text": "Hello.", "language": "en"}]
    task = shared.finished(items=items, targets=["en", "zh"])
    result = shared.api.get(f"/v1/tasks/{task['id']}/result").json()
    assert result == {"en": {"1": {"T": "Hello."}}, "zh": {"1": {"T": "[zh] Hello."}}}


def test_chinese_audio_for_the_target_zh_is_what_was_heard(shared) -> None:
    items = [{"text_id": "cn-1", "audio": shared.upload(), "language": "cn"}]
    task = shared.finished(items=items, targets=["zh-CN", "zh-TW"])
    result = shared.api.get(f"/v1/tasks/{task['id']}/result").json()
    assert result == {
        "zh": {"cn-1": {"A": "Heard cn-1."}},
        "zh-Hant": {"cn-1": {"A": "[zh-Hant] Heard cn-1."}},
    }


def test_a_language_that_is_no_target_is_404(shared) -> None:
    task = shared.finished(items=[{"text": "x", "language": "en"}], targets=["zh"])
    answer = shared.api.get(f"/v1/tasks/{task['id']}/result", params={"language": "fr"})
    assert error_of(answer) == (404, "not_a_target", "language")


def test_one_cell_is_there_while_the_others_are_still_made(shared) -> None:
    items = [{"text_id": "1", "text": "Hello.", "language": "en"}]
    task = shared.create(items=items, targets=["en", "zh"])
    base = f"/v1/tasks/{task['id']}/result"
    cell = shared.api.get(f"{base}/en/1/T").json()
    assert cell == {"language": "en", "text_id": "1", "source": "T", "text": "Hello."}
    assert error_of(shared.api.get(f"{base}/zh/1/T"))[:2] == (409, "not_finished")
    assert error_of(shared.api.get(f"{base}/zh/2/T"))[:2] == (404, "unknown_text_id")
    assert error_of(shared.api.get(f"{base}/zh/1/A"))[:2] == (404, "no_such_source")
    assert error_of(shared.api.get(f"{base}/zh/1/B"))[:2] == (422, "not_one_of")


def test_many_cells_are_looked_up_at_once(manager) -> None:
    manager.driver.broken = {"de"}
    items = [{"text_id": name, "text": name, "language": "en"} for name in ("1", "2")]
    task = manager.finished(items=items, targets=["zh", "de"])
    wanted = [
        {"language": "cn", "text_id": "2", "source": "T"},
        {"language": "de", "text_id": "1", "source": "T"},
        {"language": "zh", "text_id": "9", "source": "A"},
    ]
    answer = manager.api.post(f"/v1/tasks/{task['id']}/result/lookup", json={"cells": wanted})
    assert answer.json() == {"found": [{**wanted[0], "text": "[zh] 2"}], "missing": wanted[1:]}


def test_a_lookup_must_be_json_and_name_a_cell(shared) -> None:
    task = shared.create(items=[{"text": "x", "language": "en"}], targets=["zh"])
    url = f"/v1/tasks/{task['id']}/result/lookup"
    assert error_of(shared.api.post(url, content=b"x"))[:2] == (415, "unsupported_content_type")
    assert error_of(shared.api.post(url, json={"cells": []}))[:2] == (422, "too_short")
    bad = {"cells": [{"language": "zh", "text_id": "1", "source": "X"}]}
    assert error_of(shared.api.post(url, json=bad)) == (422, "not_one_of", "cells.0.source")


def test_text_is_given_as_it_was_taken_not_escaped_not_normalised(shared) -> None:
    text = 'e\u0301 \U0001f600 </script> "q" \u2028 文本'
    task = shared.finished(items=[{"text_id": "1", "text": text, "language": "en"}], targets=["en"])
    answer = shared.api.get(f"/v1/tasks/{task['id']}/result")
    assert answer.json()["en"]["1"]["T"] == text
    assert answer.content.decode() == json.dumps(
        {"en": {"1": {"T": text}}}, ensure_ascii=False, separators=(",", ":")
    )
