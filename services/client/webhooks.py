"""`fanscribe webhooks`: who is told of all tasks, and what was delivered to them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, cast

import typer

if TYPE_CHECKING:
    from services.client.client import Fanscribe
    from services.client.webhook_views import DeliveryView, WebhookView, WebhookWithSecret
    from services.model.webhook import DeliveryState

_SHOWN = 20
_HEAD = ["webhook", "state", "url", "events", "payload"]
_SENT = ["delivery", "event", "task", "state", "created (UTC)", "last try"]

WebhookId = Annotated[str, typer.Argument(metavar="ID", help="The webhook's id.")]
Secret = Annotated[
    str | None, typer.Option(metavar="whsec_…", help="Yours; by default one is made.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]


def commands(connect: Callable[[], Fanscribe]) -> typer.Typer:
    """The group of commands; `connect` opens the server that they ask."""
    group = typer.Typer(help="URLs that are told of your tasks.", no_args_is_help=True)
    _add_settings(group, connect)
    _add_orders(group, connect)
    _add_deliveries(group, connect)
    return group


def _add_settings(group: typer.Typer, connect: Callable[[], Fanscribe]) -> None:
    @group.command("list")
    def show(json: AsJson = False) -> None:  # noqa: FBT002  typer passes it by name
        """List your webhooks."""
        with connect() as api:
            _show(api.webhooks.list(), as_json=json)

    @group.command()
    def add(  # noqa: PLR0917  typer passes them by name
        url: Annotated[str, typer.Argument(help="A public URL that takes POST.")],
        events: Annotated[
            str | None, typer.Option(metavar="A,B", help="Such as task.succeeded; else all.")
        ] = None,
        full: Annotated[bool, typer.Option("--full", help="Send the texts, too.")] = False,  # noqa: FBT002
        description: Annotated[str | None, typer.Option(help="For people.")] = None,
        secret: Secret = None,
        json: AsJson = False,  # noqa: FBT002
    ) -> None:
        """Tell a URL of all your tasks from now on; prints its id and its secret."""
        with connect() as api:
            made = api.webhooks.create(
                url,
                events=None if events is None else _names(events),
                payload="full" if full else "thin",
                description=description,
                secret=secret,
            )
        _show_secret(made, as_json=json)

    @group.command()
    def change(
        webhook: WebhookId,
        url: Annotated[str | None, typer.Option(help="Where to from now on.")] = None,
        events: Annotated[
            str | None, typer.Option(metavar="A,B", help="Only these; empty for all.")
        ] = None,
        enable: Annotated[
            bool | None, typer.Option("--enable/--disable", help="Whether it is told.")
        ] = None,
        json: AsJson = False,  # noqa: FBT002
    ) -> None:
        """Change a webhook; what is not said stays as it is."""
        with connect() as api:
            names = None if events is None else _names(events)
            changed = api.webhooks.change(webhook, url=url, events=names, enabled=enable)
        _show([changed], as_json=json)


def _add_orders(group: typer.Typer, connect: Callable[[], Fanscribe]) -> None:
    @group.command()
    def remove(webhook: WebhookId) -> None:
        """Send nothing more to a webhook."""
        with connect() as api:
            api.webhooks.delete(webhook)

    @group.command()
    def rotate(
        webhook: WebhookId,
        secret: Secret = None,
        keep_old: Annotated[
            int | None, typer.Option(metavar="SECONDS", help="So long the old one signs too.")
        ] = None,
        json: AsJson = False,  # noqa: FBT002
    ) -> None:
        """Make a new secret and print it; the old one signs too, for a day."""
        with connect() as api:
            made = api.webhooks.rotate(webhook, secret=secret, keep_old_s=keep_old)
        _show_secret(made, as_json=json)

    @group.command()
    def ping(webhook: WebhookId, json: AsJson = False) -> None:  # noqa: FBT002
        """Send a test; `deliveries` tells what became of it."""
        with connect() as api:
            _show_deliveries([api.webhooks.ping(webhook)], as_json=json)


def _add_deliveries(group: typer.Typer, connect: Callable[[], Fanscribe]) -> None:
    @group.command()
    def deliveries(
        webhook: WebhookId,
        state: Annotated[
            str | None, typer.Option(help="Only those pending, delivered or dead.")
        ] = None,
        limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = _SHOWN,
        json: AsJson = False,  # noqa: FBT002
    ) -> None:
        """List what was sent to a webhook with what success, newest first."""
        wanted = cast("DeliveryState | None", state)  # the server knows which there are
        with connect() as api:
            found = list(api.webhooks.deliveries(webhook, state=wanted, limit=limit))
        _show_deliveries(found, as_json=json)

    @group.command()
    def replay(
        webhook: WebhookId,
        delivery: Annotated[
            str | None,
            typer.Argument(metavar="DELIVERY", help="By default all that were given up."),
        ] = None,
        json: AsJson = False,  # noqa: FBT002
    ) -> None:
        """Send a delivery again, or all that were given up."""
        from services.client import output  # noqa: PLC0415  a fast start does without

        with connect() as api:
            if delivery is not None:
                _show_deliveries([api.webhooks.replay(webhook, delivery)], as_json=json)
                return
            count = api.webhooks.replay_dead(webhook)
        if json:
            output.print_json({"replayed": count})
        else:
            output.print_raw(f"{count} deliveries are sent again")


def _names(events: str) -> list[str]:
    return [name for part in events.split(",") if (name := part.strip())]


def _show(webhooks: list[WebhookView], *, as_json: bool) -> None:
    from services.client import output  # noqa: PLC0415

    if as_json:
        output.print_json(webhooks)
    else:
        output.show_table(_HEAD, map(_row, webhooks))


def _show_secret(made: WebhookWithSecret, *, as_json: bool) -> None:
    from services.client import output  # noqa: PLC0415

    if as_json:
        output.print_json(made)
        return
    output.print_raw(f"{made.id}  {made.secret}")
    output.STDERR.print("The secret is not shown again.", style="dim")


def _show_deliveries(deliveries: list[DeliveryView], *, as_json: bool) -> None:
    from services.client import output  # noqa: PLC0415

    if as_json:
        output.print_json(deliveries)
    else:
        output.show_table(_SENT, map(_sent_row, deliveries))


def _row(webhook: WebhookView) -> list[str]:
    state = "enabled" if webhook.enabled else f"disabled: {webhook.disabled_reason}"
    return [webhook.id, state, webhook.url, ", ".join(webhook.events), webhook.payload]


def _sent_row(delivery: DeliveryView) -> list[str]:
    last = delivery.attempts[-1] if delivery.attempts else None
    how = "" if last is None else last.error or f"HTTP {last.status}"
    at = f"{delivery.created_at:%Y-%m-%d %H:%M:%S}"
    return [delivery.id, delivery.event, delivery.task or "", delivery.state, at, how]
