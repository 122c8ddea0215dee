"""The one command, `fanscribe`: gathers what each package registers by entry point."""

from __future__ import annotations

import sys
from importlib.metadata import entry_points, version
from typing import Annotated

import typer

from services import lifeline
from services.model.errors import FanscribeError

GROUP = "fanscribe.commands"
_ABOUT = "Transcribe speech once and fan it out to every language."


def _show_version(asked: bool) -> None:  # noqa: FBT001  typer calls it so
    if asked:
        typer.echo(f"fanscribe {version('fanscribe')}")
        raise typer.Exit


def make_app() -> typer.Typer:
    """The command line with everything that is installed."""
    app = typer.Typer(
        help=_ABOUT, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False
    )
    worker = typer.Typer(help="Start one worker process.", no_args_is_help=True)

    @app.callback()
    def about(
        *,
        show: Annotated[
            bool,
            typer.Option(
                "--version", callback=_show_version, is_eager=True, help="Show the version."
            ),
        ] = False,
    ) -> None:
        """Transcribe speech once and fan it out to every language."""

    for entry in sorted(entry_points(group=GROUP), key=lambda each: each.name):
        entry.load()(app, worker)
    app.add_typer(worker, name="worker")
    return app


def main() -> None:
    """Runs a command. What goes wrong on purpose is one line that says what to do."""
    lifeline.adopt_from_environment()
    try:
        make_app()()
    except FanscribeError as error:
        sys.stderr.write(f"fanscribe: {error}\n")
        sys.exit(getattr(error, "exit_code", 1))
    except ValueError as error:
        problems = _wrong_settings(error)
        if not problems:
            raise
        sys.stderr.write("".join(f"fanscribe: {problem}\n" for problem in problems))
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)


def _wrong_settings(error: ValueError) -> list[str]:
    """One line a setting that cannot be read; none if the error is about something else."""
    from pydantic import ValidationError  # noqa: PLC0415  a fast start does without

    if not isinstance(error, ValidationError) or error.title != "Settings":
        return []
    return [
        f"FANSCRIBE_{'_'.join(map(str, each['loc'])).upper()} is wrong: {each['msg']}"
        for each in error.errors()
    ]


if __name__ == "__main__":
    main()
