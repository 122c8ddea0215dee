"""The client's commands; exit codes: 0 done, 1 failed, 2 usage, 3 partial."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from services.client import correcting, dead, nodes, terms, webhooks
from services.client.evaluating import commands as evaluating
from services.installing import commands as models

if TYPE_CHECKING:
    from services.client.calls.results import Source, SubtitleFormat
    from services.client.calls.submitting import Priority
    from services.client.client import Fanscribe

TaskId = Annotated[str, typer.Argument(metavar="ID", help="The task's id.")]
TermsNamed = Annotated[
    str | None,
    typer.Option(metavar="FILE-OR-LIST", help="Terms to expect: a file, or a list of yours."),
]
GlossariesNamed = Annotated[
    list[str] | None,
    typer.Option(
        metavar="FILE-OR-LIST", help="How terms are translated: files, or lists of yours."
    ),
]
Channels = Annotated[str | None, typer.Option(help="mix, or each: every channel is heard apart.")]
NodeLabel = Annotated[
    str | None,
    typer.Option(metavar="NAME=VALUE", help="Only nodes with this label work on it."),
]
HotwordMethod = Annotated[str, typer.Option(help="prompt or bias.")]
Boost = Annotated[float | None, typer.Option(metavar="1…10", help="How much the bias is.")]
Wait = Annotated[bool, typer.Option("--wait", help="Watch it until it is done.")]
Out = Annotated[
    Path | None, typer.Option(help="Write results and subtitles here (implies --wait).")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
CheckThreshold = Annotated[
    float | None,
    typer.Option(metavar="RATE", help="Warn of items whose error rate is above this."),
]
CheckAction = Annotated[
    str | None, typer.Option(help="flag, or fail: what becomes of items above --check.")
]
From = Annotated[str | None, typer.Option("--from", help="The language spoken and written.")]
Spoken = Annotated[
    str | None,
    typer.Option(metavar="LANG,…", help="It is one of these that is spoken, if --from is not."),
]
Multilingual = Annotated[
    bool, typer.Option("--multilingual", help="Several languages in one recording.")
]
LanguageThreshold = Annotated[
    float | None,
    typer.Option(metavar="0…1", help="A language that is heard with less than this is unsure."),
]
LanguageUnsure = Annotated[
    str | None, typer.Option(help="warn, or fail: what becomes of items with an unsure language.")
]
Beam = Annotated[
    int | None, typer.Option(metavar="N", help="How many readings are followed at once.")
]
Batched = Annotated[
    bool, typer.Option("--batched", help="Hear several windows of a recording at once.")
]
Previews = Annotated[
    bool, typer.Option("--previews", help="Translate sentences while the rest is still heard.")
]
Temperature = Annotated[
    str | None,
    typer.Option(metavar="T[,T…]", help="How freely words are chosen, 0 to 1; or a ladder."),
]
OutputPrefix = Annotated[
    str | None,
    typer.Option(metavar="URL", help="Have the server write results to s3://… or oss://… too."),
]
OtherOptions = Annotated[
    list[str] | None,
    typer.Option(
        "--option", metavar="NAME=VALUE", help="Any other option; see docs/transcription.md."
    ),
]


def register(app: typer.Typer, worker: typer.Typer) -> None:  # noqa: ARG001  one signature for all
    """Adds the commands that talk to a running server, and `check`."""
    for command in (submit, status, result, subtitles, differences, cancel, retry, queues, check):
        app.command()(command)
    app.command("translate")(translate)
    app.command("list")(list_tasks)
    app.command("evaluate")(evaluating.command(_api))
    app.command("rm")(remove)
    correcting.register(app, _api)
    app.add_typer(models.commands(_api), name="models")
    app.add_typer(nodes.commands(_api), name="nodes")
    app.add_typer(dead.commands(_api), name="dead")
    app.add_typer(webhooks.commands(_api), name="webhooks")
    app.add_typer(terms.commands(_api), name="terms")


def _api() -> Fanscribe:
    """That of FANSCRIBE_URL and FANSCRIBE_API_KEY."""
    from services.client.client import Fanscribe

    return Fanscribe()


def submit(  # noqa: PLR0917  typer passes them by name
    files: Annotated[
        list[str] | None, typer.Argument(metavar="FILE…", help="Files, or URLs of files.")
    ] = None,
    to: Annotated[str, typer.Option(help="Target languages, such as zh,ja.")] = "",
    text: Annotated[
        list[str] | None, typer.Option(metavar="ID=TEXT", help="A reference text.")
    ] = None,
    source: From = None,
    spoken: Spoken = None,
    multilingual: Multilingual = False,
    language_threshold: LanguageThreshold = None,
    language_unsure: LanguageUnsure = None,
    model: Annotated[str | None, typer.Option(help="The speech model.")] = None,
    hotwords: TermsNamed = None,
    hotword_method: HotwordMethod = "prompt",
    boost: Boost = None,
    glossary: GlossariesNamed = None,
    check: CheckThreshold = None,
    channels: Channels = None,
    check_action: CheckAction = None,
    beam: Beam = None,
    batched: Batched = False,
    previews: Previews = False,
    temperature: Temperature = None,
    option: OtherOptions = None,
    priority: Annotated[str | None, typer.Option(help="urgent, normal or bulk.")] = None,
    node_label: NodeLabel = None,
    output_prefix: OutputPrefix = None,
    wait: Wait = False,
    out: Out = None,
    json: AsJson = False,
) -> None:
    """Send audio files, URLs and texts; get them back in every language."""
    from services.client import output, submitting

    items, targets = submitting.to_items(files or [], text or []), submitting.to_targets(to)
    stated: dict[str, Any] = {"check_threshold": check, "check_action": check_action}
    stated |= {"model": model, "channels": channels, "node_label": node_label, "beam_size": beam}
    stated |= {"mode": "batched" if batched else None, "previews": previews or None}
    stated |= {"spoken": submitting.to_spoken(spoken), "language_threshold": language_threshold}
    stated |= {"language_unsure": language_unsure, "multilingual": multilingual or None}
    named = submitting.to_hotwords(hotwords, hotword_method, boost)
    stated |= {"hotwords": named, "glossary": submitting.to_glossary(glossary or [])}
    options = submitting.to_options(stated, option or [], temperature)
    with _api() as api:
        with submitting.upload_bars(output.STDERR) as on_upload:
            task = api.submit(
                *items,
                targets=targets,
                language=source,
                options=options,
                priority=cast("Priority | None", priority),  # the server knows which there are
                output_prefix=output_prefix,
                on_upload=on_upload,
            )
        if wait or out is not None:
            raise typer.Exit(output.wait_and_show(api, task.id, out, as_json=json))
        output.show_created(api.task(task.id), as_json=json)


def status(
    task_id: TaskId,
    wait: Annotated[bool, typer.Option("--wait", help="Watch it until it has ended.")] = False,
    json: AsJson = False,
) -> None:
    """Show how far a task is; with --wait until it has ended."""
    from services.client import output
    from services.client.progress import follow

    with _api() as api:
        task = follow(api, task_id, output.STDERR) if wait else api.task(task_id)
        output.show_task(task, list(api.items(task_id)), as_json=json)
    raise typer.Exit(output.exit_code(task))


def list_tasks(
    state: Annotated[str | None, typer.Option(help="Only tasks in this state.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 20,
    json: AsJson = False,
) -> None:
    """List tasks, newest first."""
    from services.client import output

    with _api() as api:
        output.show_tasks(list(api.tasks(state=state, limit=limit)), as_json=json)


def result(
    task_id: TaskId,
    form: Annotated[str, typer.Option(help="expanded or coded.")] = "expanded",
    language: Annotated[str | None, typer.Option(help="Only this language.")] = None,
    json: AsJson = False,  # noqa: ARG001  a result is JSON in any case
) -> None:
    """Print the packed result."""
    from services.client import output

    with _api() as api:
        output.print_json(output.result_of(api, task_id, form, language))


def subtitles(  # noqa: PLR0917  typer passes them by name
    task_id: TaskId,
    text_id: Annotated[str, typer.Argument(metavar="TEXT-ID", help="The item.")],
    form: Annotated[str, typer.Option("--format", help="srt, vtt, ass, txt or json.")] = "srt",
    language: Annotated[str | None, typer.Option(help="By default as spoken.")] = None,
    beside: Annotated[
        str | None, typer.Option("--with", help="A second language below, or source.")
    ] = None,
    source: Annotated[
        str | None, typer.Option(help="A: what was heard; T: the text. By default A.")
    ] = None,
    max_width: Annotated[
        int | None, typer.Option(help="Columns a line; a Chinese character takes two.")
    ] = None,
    max_lines: Annotated[int | None, typer.Option(help="Lines of each language in a cue.")] = None,
    max_cps: Annotated[float | None, typer.Option(help="Columns a second.")] = None,
    min_duration: Annotated[
        float | None, typer.Option(help="Seconds that a cue stays at least.")
    ] = None,
    max_duration: Annotated[
        float | None, typer.Option(help="Seconds that a cue stays at most.")
    ] = None,
    min_gap: Annotated[float | None, typer.Option(help="Seconds between two cues.")] = None,
    bom: Annotated[
        bool, typer.Option("--bom", help="Begin with a byte order mark, for old players.")
    ] = False,
    json: AsJson = False,
) -> None:
    """Print the subtitles of an item, in one language or in two."""
    from services.client import output

    with _api() as api:
        form = cast("SubtitleFormat", "json" if json else form)  # the server knows which there are
        text = api.subtitles(
            task_id,
            text_id,
            form,
            language=language,
            source=cast("Source | None", source),
            with_=beside,
            max_width=max_width,
            max_lines=max_lines,
            max_cps=max_cps,
            min_duration=min_duration,
            max_duration=max_duration,
            min_gap=min_gap,
            bom=bom or None,
        )
        output.print_raw(text)


def differences(
    task_id: TaskId,
    text_id: Annotated[str, typer.Argument(metavar="TEXT-ID", help="The item.")],
    json: AsJson = False,
) -> None:
    """Show where what was heard of an item and its text part."""
    from services.client import differing, output

    with _api() as api:
        checked = api.check(task_id, text_id, limit=1)
        places = list(api.differences(task_id, text_id))
        if json:
            output.print_json(checked.model_copy(update={"differences": places, "next": None}))
        else:
            differing.show(output.STDOUT, checked, places)


def cancel(task_id: TaskId, json: AsJson = False) -> None:
    """Stop a task; what runs ends within seconds."""
    from services.client import output

    with _api() as api:
        output.show_state(api.cancel(task_id), as_json=json)


def retry(task_id: TaskId, json: AsJson = False) -> None:
    """Run again what failed in a task that has ended."""
    from services.client import output

    with _api() as api:
        output.show_state(api.retry(task_id), as_json=json)


def translate(
    task_id: TaskId,
    to: Annotated[str, typer.Option(help="More target languages, such as fr,es.")] = "",
    wait: Wait = False,
    out: Out = None,
    json: AsJson = False,
) -> None:
    """Translate a task that has ended into more languages."""
    from services.client import output, submitting

    languages = submitting.to_targets(to)
    with _api() as api:
        task = api.add_languages(task_id, languages)
        if wait or out is not None:
            raise typer.Exit(output.wait_and_show(api, task.id, out, as_json=json))
        output.show_state(task, as_json=json)


def remove(
    task_ids: Annotated[list[str], typer.Argument(metavar="ID…", help="Tasks to delete.")],
    json: AsJson = False,
) -> None:
    """Delete tasks with their files and results."""
    from services.client import output

    with _api() as api:
        for task_id in task_ids:
            api.delete(task_id)
    if json:
        output.print_json({"deleted": task_ids})


def queues(json: AsJson = False) -> None:
    """List the queues and what waits in them."""
    from services.client import output

    with _api() as api:
        output.show_queues(api.queues(), as_json=json)


def check(json: AsJson = False) -> None:
    """Test the configuration of this machine, and say what to do about each finding."""
    from services.client import checking, output

    findings = checking.check_all()
    output.show_findings(findings, as_json=json)
    raise typer.Exit(0 if all(each.good for each in findings) else 1)
