"""Words of an item that somebody puts in the place of others, as a version of their own; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate

from services.model.transcript import Output, Runs, Segment, Transcript, join_segments
from services.model.values import Stored

MOST_VERSIONS = 200  # of an item and source, with all its translations
CORRECTED = "corrected"  # the flag of a segment that somebody wrote


class Correction(Stored):
    """The committed plan of a correction: `output` takes the place of what has a lower version.
    Where these are an item's own words its translations are made anew from them; those that
    somebody corrected only if they are to be `overwritten`."""

    output: Output
    overwrite: bool = False


def with_texts(transcript: Transcript, texts: Mapping[int, str]) -> Transcript:
    """The transcript with these texts in the segments of these ids, which keep their times. What
    was known of the words before goes with them; a segment without a text goes itself."""
    segments = [
        segment if texts.get(segment.id, segment.text) == segment.text else _written(segment, text)
        for segment in transcript.segments
        if (text := texts.get(segment.id, segment.text))
    ]
    text = join_segments(segments, transcript.language)
    return transcript.model_copy(update={"segments": segments, "text": text})


def _written(segment: Segment, text: str) -> Segment:
    return Segment(
        id=segment.id,
        start=segment.start,
        end=segment.end,
        text=text,
        language=segment.language,
        channel=segment.channel,
        flags=[CORRECTED],
    )


def runs_after(runs: Runs | None, before: Sequence[Segment], after: Sequence[Segment]) -> Runs:
    """The same runs when some segments are gone; a run of which none is left goes as well."""
    kept = {segment.id for segment in after}
    ahead = [0, *accumulate(segment.id in kept for segment in before)]
    found = [
        (ahead[first], ahead[len(before) if last is None else last])
        for first, last in runs or [(0, None)]
    ]
    return [(first, last) for first, last in found if first < last]
