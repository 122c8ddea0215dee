"""Makes one task for each recording, all at once, and saves subtitles beside each file.

python examples/transcribe_async.py --to ja talks/*.mp3
"""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path

from fanscribe import AsyncFanscribe, TaskView


async def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--to", default="ja")
    given = parser.parse_args()
    async with AsyncFanscribe() as client:
        await asyncio.gather(*(subtitle(client, file, given.to) for file in given.files))
    return 0


async def subtitle(client: AsyncFanscribe, file: Path, language: str) -> None:
    task = await client.submit(file, targets=[language])

    def show(seen: TaskView) -> None:
        print(f"{file.name}: {seen.progress:.0%}")

    await client.wait(task, on_progress=show)
    text = await client.subtitles(task, file.stem, "srt", language=language)
    made = file.with_suffix(f".{language}.srt")
    made.write_text(text, encoding="utf-8")
    print(f"wrote {made}")


if __name__ == "__main__":
    raise SystemExit(asyncio.run(main()))
