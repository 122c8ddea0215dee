"""Sends recordings, shows what is heard, and prints their translations.

python examples/transcribe.py demo/sample/1.mp3 --to zh,ja
"""

from __future__ import annotations

import argparse

from fanscribe import Fanscribe, SegmentsHeard, StateChanged, TaskState


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="+")
    parser.add_argument("--to", default="zh,ja")
    given = parser.parse_args()
    with Fanscribe() as client:  # the server and the key are those of the environment
        task = client.submit(*given.files, targets=given.to.split(","))
        print(f"task {task.id}")
        for event in client.events(task):
            if isinstance(event, SegmentsHeard):
                print(*(segment.text for segment in event.segments))
            elif isinstance(event, StateChanged):
                print(f"it is {event.state}")
        for language, texts in client.result(task).items():
            for text_id, sources in texts.items():
                print(f"{language}  {text_id}  {sources.get('A', 'failed')}")
        return 0 if client.task(task).state is TaskState.SUCCEEDED else 1


if __name__ == "__main__":
    raise SystemExit(main())
