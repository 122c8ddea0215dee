"""The command line: `python -m benchmarks.faults`, or `make faults`."""

from __future__ import annotations

import argparse
import json
import secrets
import sys
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from rich.console import Console

from benchmarks.faults.checker import check
from benchmarks.faults.ledger import read
from benchmarks.faults.registry import Scenario, all_scenarios
from benchmarks.faults.report import show, write_docs
from benchmarks.faults.runner import Plan, run_all


def main(words: Sequence[str] | None = None) -> int:
    """0: nothing was found. 1: something was. 2: usage."""
    asked = _parser().parse_args(words)
    console = Console() if sys.stdout.isatty() else Console(width=120)
    if asked.check:
        return _check_again(asked.check, console)
    known = all_scenarios()
    if asked.list:
        for each in known.values():
            console.print(f"{each.id:5} {each.title}", highlight=False)
        return 0
    plan = Plan(
        seed=asked.seed or secrets.randbelow(10**6) + 1,
        quick=asked.quick,
        store=asked.store,
        broker=asked.broker,
        lanes=asked.lanes,
        keep=asked.keep,
    )
    command = f"make faults SEED={plan.seed} ARGS='{_arguments(asked)}'"
    console.print(f"seed {plan.seed}: again by {command}", highlight=False, soft_wrap=True)
    outcomes = run_all(_chosen(known, asked), plan, lambda line: print(line, flush=True))
    show(outcomes, console)
    if asked.out:
        told = {"seed": plan.seed, "command": command, "outcomes": [o.json() for o in outcomes]}
        asked.out.write_text(json.dumps(told, ensure_ascii=False, indent=1), encoding="utf-8")
    if asked.write_docs:
        write_docs(Path("docs/reliability.md"), outcomes, command)
    return 1 if any(outcome.bad for outcome in outcomes) else 0


def _chosen(known: dict[str, Scenario], asked: argparse.Namespace) -> list[Scenario]:
    names = [name.strip() for name in asked.only.split(",") if name.strip()]
    unknown = sorted(set(names) - known.keys())
    if unknown:
        sys.exit(f"There is no scenario {', '.join(unknown)}: see --list.")
    chosen = [known[name] for name in names or known]
    return [each for each in chosen if each.core or not asked.core]


def _check_again(path: Path, console: Console) -> int:
    """Judges the scenarios of a ledger that was kept once more."""
    entries = read(path)
    begins = [index for index, each in enumerate(entries) if each.kind == "scenario"]
    found = 0
    for begin, end in pairwise([*begins, len(entries)]):
        console.print(f"{entries[begin]['id']} {entries[begin]['title']}", highlight=False)
        for each in check(entries[begin:end]):
            found += 1
            console.print(f"  {each.kind} {each.about}: {each.told}", highlight=False)
    console.print(f"{found} findings")
    return 1 if found else 0


def _arguments(asked: argparse.Namespace) -> str:
    words = [f"--only {asked.only}"] if asked.only else []
    words += ["--core"] if asked.core else []
    words += ["--quick"] if asked.quick else []
    words += [f"--store {asked.store}"] if asked.store != "sqlite" else []
    words += [f"--broker {asked.broker}"] if asked.broker != "redis" else []
    return " ".join([*words, f"--lanes {asked.lanes}"])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.faults", description=__doc__)
    parser.add_argument("--list", action="store_true", help="name the scenarios")
    parser.add_argument("--only", default="", help="ids, with commas: T01,T05")
    parser.add_argument("--core", action="store_true", help="the core faults only")
    parser.add_argument("--seed", type=int, default=0, help="0: choose one, and print it")
    parser.add_argument("--quick", action="store_true", help="small, on one fast stack")
    parser.add_argument("--store", default="sqlite", help="sqlite, wire or mongodb://…")
    parser.add_argument("--broker", default="redis", help="redis or rabbitmq")
    parser.add_argument("--lanes", type=int, default=4, help="stacks at once")
    parser.add_argument("--out", type=Path, help="write all figures as JSON")
    parser.add_argument("--keep", action="store_true", help="keep logs and ledgers in any case")
    parser.add_argument("--write-docs", action="store_true", help="fill docs/reliability.md")
    parser.add_argument("--check", type=Path, help="judge a kept ledger once more")
    return parser


if __name__ == "__main__":
    sys.exit(main())
