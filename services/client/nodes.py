"""`fanscribe nodes`: the workers, and what an operator orders them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from services.model.errors import FanscribeError

if TYPE_CHECKING:
    from services.client.client import Fanscribe
    from services.client.server_views import NodeView

NodeId = Annotated[str, typer.Argument(metavar="ID", help="The node's id.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]

_HEAD = ["node", "state", "kind", "busy", "models", "labels"]


class BadLabel(FanscribeError):
    """What was typed is no label."""

    exit_code = 2


def commands(connect: Callable[[], Fanscribe]) -> typer.Typer:
    """The group of commands; `connect` opens the server that they ask."""
    group = typer.Typer(help="The workers.", invoke_without_command=True)

    @group.callback()
    def show(context: typer.Context, json: AsJson = False) -> None:  # noqa: FBT002  typer's way
        """List the workers."""
        if context.invoked_subcommand is None:
            with connect() as api:
                _show(api.nodes.list(), as_json=json)

    @group.command()
    def drain(node: NodeId, json: AsJson = False) -> None:  # noqa: FBT002
        """Give a worker nothing new; what runs there ends there."""
        with connect() as api:
            _show_one(api.nodes.drain(node), as_json=json)

    @group.command()
    def resume(node: NodeId, json: AsJson = False) -> None:  # noqa: FBT002
        """Give a worker work again, after a drain or while it is set aside."""
        with connect() as api:
            _show_one(api.nodes.resume(node), as_json=json)

    @group.command()
    def label(
        node: NodeId,
        labels: Annotated[
            list[str], typer.Argument(metavar="NAME=VALUE…", help="NAME- takes a label away.")
        ],
        json: AsJson = False,  # noqa: FBT002
    ) -> None:
        """Set labels of a worker, or take them away: zone=b old-"""
        with connect() as api:
            _show_one(api.nodes.label(node, to_labels(labels)), as_json=json)

    return group


def to_labels(written: Sequence[str]) -> dict[str, str | None]:
    """`zone=b` sets a label, `old-` takes one away. Raises BadLabel."""
    labels: dict[str, str | None] = {}
    for each in written:
        name, equals, value = each.partition("=")
        if not equals and not each.endswith("-"):
            raise BadLabel(f"{each!r}: write NAME=VALUE to set a label, NAME- to take it away.")
        labels[name if equals else each[:-1]] = value if equals else None
    return labels


def _show(nodes: list[NodeView], *, as_json: bool) -> None:
    from services.client import output  # noqa: PLC0415  a fast start does without

    if as_json:
        output.print_json(nodes)
    else:
        output.show_table(_HEAD, map(_row, nodes))


def _show_one(node: NodeView, *, as_json: bool) -> None:
    from services.client import output  # noqa: PLC0415

    if as_json:
        output.print_json(node)
    else:
        output.show_table(_HEAD, [_row(node)])


def _row(node: NodeView) -> list[str]:
    labels = (f"{name}={value}" for name, value in node.labels.items())
    return [
        node.id,
        node.state or ("live" if node.live else "gone"),
        node.kind,
        f"{node.running}/{node.slots}",
        ", ".join(node.models),
        ", ".join(labels),
    ]
