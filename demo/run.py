"""The demo: the real stack on a throw-away folder, one sample task, and a verdict on its result."""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from demo.judge import judge
from demo.report import show_pack, show_sample, show_task, show_verdict
from demo.sample import SampleItem, load_sample, make_sample
from services.client.calls.submitting import Item
from services.client.client import Fanscribe
from services.client.progress import follow
from services.client.submitting import upload_bars
from services.model.errors import FanscribeError
from services.models_folder import load_catalog, locate
from services.settings import Settings
from services.standalone.running import stopping_on_signals
from services.standalone.supervisor import Addresses, CannotStart, Supervisor

TARGETS = ("zh", "ja", "de")
CHECK_THRESHOLD = 0.2  # an item whose text differs more than this from its audio gets a warning
_PATIENCE_S = 600.0
_KEPT = {"FANSCRIBE_BROKER", "FANSCRIBE_LOG_LEVEL"}
_OFFLINE = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1"}


def run_demo(*, keep: bool, seed: int | None) -> int:
    """0 only if the pack is complete and right; 130 if it was interrupted."""
    console = Console(highlight=False, soft_wrap=True)
    with tempfile.TemporaryDirectory(prefix="fanscribe-demo-") as folder:
        settings = _settings(Path(folder) / "data")
        _refuse_without_models(settings)
        sample = load_sample() if seed is None else make_sample(seed, Path(folder) / "sample")
        supervisor = Supervisor(settings, tell=console.print)
        with stopping_on_signals(supervisor):
            console.print("Starting redis, the task manager and two workers …")
            return _in_the_stack(supervisor, sample, console, keep=keep)


def _settings(data_dir: Path) -> Settings:
    """The demo's own settings, whatever the environment says: loopback, free ports, no hub."""
    for name in [each for each in os.environ if each.startswith("FANSCRIBE_")]:
        if name not in _KEPT:
            del os.environ[name]
    os.environ.update(_OFFLINE)
    return Settings(data_dir=data_dir, demo_models=True, port=0, worker_port=0)


def _refuse_without_models(settings: Settings) -> None:
    """A job without its model would wait for a worker that has it, for ever."""
    catalog = load_catalog(settings)
    for entry in catalog.offered:
        if entry.demo and locate(entry, settings) is None:
            raise CannotStart(
                f"The demo model {entry.name} is not in demo/models: this copy of Fanscribe is "
                "incomplete; install it again."
            )


def _in_the_stack(
    supervisor: Supervisor, sample: Sequence[SampleItem], console: Console, *, keep: bool
) -> int:
    """The task is followed in a thread of its own, since children belong to the thread that
    started them, and this one restarts what dies."""
    addresses = supervisor.start()
    outcome: list[int] = []

    def play() -> None:
        code = 1
        try:
            code = _play(addresses, sample, console)
        except FanscribeError as error:
            if supervisor.stopping.is_set():
                return  # interrupted: whatever broke off is no finding
            console.print(f"✗ {error}", style="red")
        finally:
            if not supervisor.stopping.is_set():
                outcome.append(code)
                if keep:
                    console.print(f"It stays up until Ctrl-C: {addresses.url} (API: /docs)")
                else:
                    supervisor.stopping.set()

    def give_up() -> None:
        outcome.append(1)
        console.print(f"✗ The sample was not done within {_PATIENCE_S:.0f} s.", style="red")
        supervisor.stopping.set()

    deadline = threading.Timer(_PATIENCE_S, give_up)
    deadline.daemon = True
    try:
        threading.Thread(target=play, daemon=True).start()
        if not keep:
            deadline.start()
        supervisor.watch()
    finally:
        deadline.cancel()
        supervisor.stop()
    return outcome[0] if outcome else 130


def _play(addresses: Addresses, sample: Sequence[SampleItem], console: Console) -> int:
    """Submits the sample as any client would, shows what comes back, and judges it."""
    with Fanscribe(addresses.url) as api:
        show_sample(console, sample)
        with upload_bars(console) as on_upload:
            made = api.submit(
                *map(_to_item, sample),
                targets=TARGETS,
                options={"check_threshold": CHECK_THRESHOLD},
                on_upload=on_upload,
            )
        task = follow(api, made.id, console)
        items = list(api.items(task))
        pack = api.result(task)
        show_pack(console, "Expanded pack", pack)
        show_pack(console, "Coded pack", api.coded_result(task).model_dump(by_alias=True))
        show_task(console, task, items, api.subtitles(task, sample[0].text_id, language="zh"))
    checks = {item.text_id: item.check.model_dump() for item in items if item.check}
    verdict = judge(sample, TARGETS, pack, checks)
    if task.state != "succeeded":
        verdict.wrong.insert(0, f"the task ended as {task.state}")
    show_verdict(console, verdict)
    return 1 if verdict.wrong else 0


def _to_item(each: SampleItem) -> Item:
    """An audio without a text: its language is left for the model to hear."""
    stated = None if each.text is None else each.language
    return Item(each.audio, each.text, each.text_id, stated)
