"""The `academy` command. Declares the options only; each command's work is imported when it runs,
so that `academy --help` is fast and a service loads nothing of another.

Exit status: 0 done; 1 it failed, with a sentence on stderr; 2 a wrong option or setting.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Literal, Optional

import typer

from academy.errors import AcademyError, SettingsError
from academy.people import Role

app = typer.Typer(
    name="academy",
    help="A free lecture-video portal: courses, uploads, transcoding, playback.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

DataDir = Annotated[
    Optional[Path],  # noqa: UP045 - typer reads the annotation at run time
    typer.Option(help="Where state lives [default: ACADEMY_DATA_DIR or .academy]."),
]
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
        typer.Option(help="Who the token stands for [default: the first role's name]."),
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
            help="The ring's file [default: ACADEMY_BADGE_KEYS, or the data directory's]."
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
    course: Annotated[str, typer.Option(help="Slug of an existing course.")],
    title: Annotated[str, typer.Option(help="Of the lecture, in the recording's language.")],
    language: Annotated[str, typer.Option(help="Of the recording (BCP 47).")] = "zh",
    api: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(help="Base address of the API [default: the running `academy up`]."),
    ] = None,
    token: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(help="[default: one signed with the data directory's key]"),
    ] = None,
    publish: Annotated[bool, typer.Option("--publish", help="Let everyone see it.")] = False,
    wait: Annotated[bool, typer.Option("--wait", help="Follow transcoding to its end.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Upload a recording as a new lecture; run again after an interruption to resume."""
    from academy.commands.upload import upload as run

    run(
        file,
        course=course,
        title=title,
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
        typer.Option(min=1, help="Chunks encoded at a time [default: one per core]."),
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


Names = Annotated[
    Optional[list[str]],  # noqa: UP045
    typer.Argument(metavar="[ID]...", help="Of jobs, recordings or lectures."),
]
Everything = Annotated[bool, typer.Option("--all", help="All that this applies to.")]
OfCourse = Annotated[
    Optional[str],  # noqa: UP045
    typer.Option("--course", help="Only lectures of this course (slug)."),
]


@app.command()
def retry(
    ids: Names = None,
    *,
    everything: Everything = False,
    code: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(help="With --all: only those that failed with this code."),
    ] = None,
    course: OfCourse = None,
    data_dir: DataDir = None,
) -> None:
    """Transcode again what failed."""
    from academy.commands.steering import retry as run

    run(ids or [], everything=everything, code=code, course=course, data_dir=data_dir)


@app.command()
def cancel(
    ids: Names = None,
    *,
    everything: Everything = False,
    course: OfCourse = None,
    data_dir: DataDir = None,
) -> None:
    """Stop queued and running jobs."""
    from academy.commands.steering import cancel as run

    run(ids or [], everything=everything, course=course, data_dir=data_dir)


@app.command()
def requeue(
    ids: Names = None,
    *,
    everything: Everything = False,
    course: OfCourse = None,
    data_dir: DataDir = None,
) -> None:
    """Take running jobs from their transcoders, and end the pauses of queued ones."""
    from academy.commands.steering import requeue as run

    run(ids or [], everything=everything, course=course, data_dir=data_dir)


@app.command()
def retranscode(
    *,
    profile: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(help="Name or file [default: ACADEMY_PROFILE]; transcoders must have it too."),
    ] = None,
    course: OfCourse = None,
    everything: Everything = False,
    campaign: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(help="[default: the profile's name and contents]"),
    ] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Follow it to its end.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Transcode what is published again; give it again to resume."""
    from academy.commands.retranscode import retranscode as run

    run(
        profile=profile,
        course=course,
        everything=everything,
        campaign=campaign,
        wait=wait,
        dry_run=dry_run,
        data_dir=data_dir,
    )


@app.command()
def migrate(*, data_dir: DataDir = None) -> None:
    """Bring the database of an older release up to this one."""
    from academy.commands.migrate import migrate as run

    run(data_dir=data_dir)


@app.command()
def backup(
    directory: Annotated[Path, typer.Argument(help="A new directory for it.")],
    *,
    data_dir: DataDir = None,
) -> None:
    """Export the database as it is at one moment, while everything runs."""
    from academy.commands.backup import backup as run

    run(directory, data_dir=data_dir)


@app.command()
def restore(
    directory: Annotated[Path, typer.Argument(help="What `academy backup` wrote.")],
    *,
    replace: Annotated[
        bool, typer.Option("--replace", help="Also where the database holds something: it is lost.")
    ] = False,
    data_dir: DataDir = None,
) -> None:
    """Bring the database back from a backup. Stop the services first."""
    from academy.commands.restore import restore as run

    run(directory, replace=replace, data_dir=data_dir)


@app.command()
def reindex(*, data_dir: DataDir = None) -> None:
    """Build the search index anew while the present one serves."""
    from academy.commands.reindex import reindex as run

    run(data_dir=data_dir)


storage = typer.Typer(help="The bucket's set-up, and how much is stored.", no_args_is_help=True)
app.add_typer(storage, name="storage")


@storage.command("setup")
def storage_setup(*, data_dir: DataDir = None) -> None:
    """Make the bucket and set CORS, lifecycle and policy; safe to repeat."""
    from academy.commands.storage import setup as run

    run(data_dir=data_dir)


@storage.command("usage")
def storage_usage(
    *,
    by: Annotated[
        Literal["course", "instructor"], typer.Option(help="What to add up by.")
    ] = "course",
    data_dir: DataDir = None,
) -> None:
    """How much courses or instructors take of the storage, in bytes."""
    from academy.commands.storage import usage as run

    run(by=by, data_dir=data_dir)


@app.command()
def gc(
    *,
    delete: Annotated[
        bool, typer.Option("--delete", help="Delete what is found [default: only say it].")
    ] = False,
    older_than: Annotated[
        float,
        typer.Option(min=0, help="Hours; younger objects stay. 0 only while nothing runs."),
    ] = 24,
    though_most: Annotated[
        bool, typer.Option("--though-most", help="Even if most of the storage is unknown.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For programs: JSON lines.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Find stored objects that nobody needs, and needed ones that are not there."""
    from academy.commands.gc import gc as run

    run(
        delete=delete,
        older_than=older_than,
        though_most=though_most,
        as_json=as_json,
        data_dir=data_dir,
    )


@app.command()
def openapi() -> None:
    """Print the OpenAPI document."""
    from academy.commands.openapi import openapi as run

    run()


if __name__ == "__main__":
    main()
