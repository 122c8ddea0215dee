"""A receiver of webhooks: it verifies, answers at once, and works afterwards.

WEBHOOK_SECRET=whsec_… python examples/receiver.py 9000
"""

from __future__ import annotations

import os
import sys

import uvicorn
from fastapi import BackgroundTasks, FastAPI, HTTPException, Request

from fanscribe import (
    BadWebhook,
    Fanscribe,
    JobDied,
    TaskEnded,
    TaskState,
    WebhookEvent,
    verify_webhook,
)

SECRETS = os.environ["WEBHOOK_SECRET"].split()  # two, while one takes the place of the other
app = FastAPI()
seen: set[str] = set()  # in earnest a table with a unique key: events may come twice


@app.post("/fanscribe", status_code=204)
async def receive(request: Request, later: BackgroundTasks) -> None:
    try:
        event = verify_webhook(SECRETS, request.headers, await request.body())
    except BadWebhook as error:
        raise HTTPException(401, error.message) from error
    if event.id not in seen:
        seen.add(event.id)
        later.add_task(work_on, event)


def work_on(event: WebhookEvent) -> None:
    match event:
        case TaskEnded(state=TaskState.SUCCEEDED | TaskState.PARTIAL):
            with Fanscribe() as client:
                print(f"{event.type} {event.task_id}", client.result(event.task_id), flush=True)
        case JobDied():
            print(f"{event.text_id} failed: {event.message}", flush=True)
        case _:
            print(event.type, flush=True)


if __name__ == "__main__":
    uvicorn.run(app, port=int(sys.argv[1]))
