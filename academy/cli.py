"""The `academy` command. Declares the options only; each command's work is imported when it runs,
so that `academy --help` is fast and a service loads nothing of another.

Exit status: 0 done; 1 it failed, with a sentence on stderr; 2 a wrong option or setting.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Optional

import typer

from academy.cli_operating import DataDir, operating
from academy.errors import AcademyError, SettingsError
from academy.people import Role

app = typer.Typer(
    name="academy",
    help="A free lecture-video portal: courses, uploads, transcoding, playback.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Host = Annotated[str, typer.Option(help="Address to listen on.")]
Port = Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.")]
WithParent = Annotated[bool, typer.Option(hidden=True, help="End when standard input closes.")]


def main() -> None:
    """Entry point: errors of ours become one sentence, never a traceback."""
    try:
        app()
    except SettingsError as error:
        print(error.message, file=sys.stderr)
        sys.exit(2)
    except AcademyError as error:
        print(error.message, file=sys.stderr)
        sys.exit(1)


@app.command()
def up(
    *,
    demo: Annotated[
        bool, typer.Option("--demo", help="Load the demo catalogue and a sample lecture.")
    ] = False,
    host: Host = "127.0.0.1",
    port: Port = 8000,
    data_dir: DataDir = None,
) -> None:
    """Start everything on this machine: MongoDB, storage, API with portal, transcoder."""
    from academy.commands.up import up as run

    run(demo=demo, host=host, port=port, data_dir=data_dir)


@app.command()
def api(*, host: Host = "127.0.0.1", port: Port = 8000, with_parent: WithParent = False) -> None:
    """Run the API and the portal alone."""
    from academy.commands.api import api as run

    run(host=host, port=port, with_parent=with_parent)


@app.command()
def transcoder(*, with_parent: WithParent = False) -> None:
    """Run the transcoder alone: it claims jobs and encodes them on Dask."""
    from academy.commands.transcoder import transcoder as run

    run(with_parent=with_parent)


@app.command()
def token(
    *,
    role: Annotated[list[Role], typer.Option(help="May be repeated.")],
    subject: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(help="Who the token stands for (default: the first role's name)."),
    ] = None,
    expires: Annotated[int, typer.Option(min=1, help="Seconds from now.")] = 30 * 86400,
    data_dir: DataDir = None,
) -> None:
    """Print a signed token for development."""
    from academy.commands.token import token as run

    run(roles=role, subject=subject, expires=expires, data_dir=data_dir)


@app.command("badge-key")
def badge_key(
    file: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Argument(
            help="The ring's file (default: ACADEMY_BADGE_KEYS, or the data directory's)."
        ),
    ] = None,
    *,
    data_dir: DataDir = None,
) -> None:
    """Make a key that signs badges; one there is retires but stays published."""
    from academy.commands.badge_key import badge_key as run

    run(file, data_dir=data_dir)


@app.command()
def upload(
    file: Annotated[Path, typer.Argument(help="The recording.")],
    *,
    course: Annotated[str, typer.Option(help="Slug of an existing course.")] = "",
    title: Annotated[str, typer.Option(help="Of the lecture, in the recording's language.")] = "",
    lecture: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(
            help="Id of an existing lecture, instead of course and title: also goes on with an upload of "
            "this file that another machine began."
        ),
    ] = None,
    language: Annotated[str, typer.Option(help="Of the recording (BCP 47).")] = "zh",
    api: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(help="Base address of the API (default: the running `academy up`)."),
    ] = None,
    token: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(help="(default: one signed with the data directory's key)"),
    ] = None,
    publish: Annotated[bool, typer.Option("--publish", help="Let everyone see it.")] = False,
    wait: Annotated[bool, typer.Option("--wait", help="Follow transcoding to its end.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Upload a recording as a new lecture; run again after an interruption to resume."""
    if lecture is None and not (course and title):
        raise typer.BadParameter(
            "which lecture? Give --course and --title for a new one, or --lecture for one that is there."
        )
    from academy.commands.upload import upload as run

    run(
        file,
        course=course,
        title=title,
        lecture=lecture,
        language=language,
        api=api,
        token=token,
        publish=publish,
        wait=wait,
        data_dir=data_dir,
    )


@app.command()
def transcode(
    file: Annotated[Path, typer.Argument(help="The recording.")],
    outdir: Annotated[Path, typer.Argument(help="Directory for the result.")],
    *,
    profile: Annotated[str, typer.Option(help="Name of the encoding profile.")] = "default",
    workers: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option(min=1, help="Chunks encoded at a time (default: one per core)."),
    ] = None,
) -> None:
    """Transcode a local file to a directory, without a database."""
    from academy.commands.transcode import transcode as run

    run(file, outdir, profile=profile, workers=workers)


@app.command()
def doctor(*, data_dir: DataDir = None) -> None:
    """Check MongoDB, storage, ffmpeg and Dask, one line each."""
    from academy.commands.doctor import doctor as run

    run(data_dir=data_dir)


app.add_typer(operating)


@app.command()
def openapi() -> None:
    """Print the OpenAPI document."""
    from academy.commands.openapi import openapi as run

    run()


if __name__ == "__main__":
    main()
