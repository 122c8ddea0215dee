"""The result: coded, expanded, one cell, many cells."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, RootModel

from task_manager.schemas.new_task import MAX_TEXT_ID
from task_manager.schemas.request import AnswerModel, RequestModel

SourceName = Literal["A", "T"]


class CodedPack(AnswerModel):
    """Languages are numbers of the code book; `missing` lists [language, text id, source], and
    `versions` [language, text id, source, version] of cells whose words were corrected: it is not
    there where none was."""

    model_config = ConfigDict(
        frozen=True,
        json_schema_serialization_defaults_required=False,  # `versions` may not be there
        json_schema_extra={
            "examples": [
                {
                    "schema": 1,
                    "codebook": 1,
                    "complete": True,
                    "missing": [],
                    "data": {"1": {"文本编号1": {"A": "翻译结果", "T": "文本翻译结果"}}},
                }
            ]
        },
    )

    schema_: int = Field(alias="schema")
    codebook: int
    complete: bool
    missing: list[tuple[int, str, SourceName]]
    versions: list[tuple[int, str, SourceName, int]] = Field(default_factory=list)
    data: dict[str, dict[str, dict[SourceName, str]]]


class ExpandedPack(RootModel[dict[str, dict[str, dict[SourceName, str]]]]):
    """language → text id → source → text, and nothing else."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"zh": {"文本编号1": {"A": "翻译结果", "T": "文本翻译结果"}}}]
        }
    )


class CellName(RequestModel):
    """Which cell is meant."""

    language: str = Field(max_length=100, examples=["zh"])
    text_id: str = Field(max_length=MAX_TEXT_ID, examples=["文本编号1"])
    source: SourceName


class CellText(AnswerModel):
    """One cell of the result."""

    language: str
    text_id: str
    source: SourceName
    text: str


class Lookup(RequestModel):
    """Up to a thousand cells."""

    cells: Annotated[list[CellName], Field(min_length=1, max_length=1000)]


class MissingCell(AnswerModel):
    language: str
    text_id: str
    source: SourceName


class LookupAnswer(AnswerModel):
    """Both lists in the order asked."""

    found: list[CellText]
    missing: list[MissingCell]
