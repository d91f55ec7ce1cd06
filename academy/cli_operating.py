"""The commands of those who operate a portal. As in `academy.cli`, each imports its work when it runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Optional

import typer

operating = typer.Typer()

DataDir = Annotated[
    Optional[Path],  # noqa: UP045 - typer reads the annotation at run time
    typer.Option(help="Where state lives (default: ACADEMY_DATA_DIR or .academy)."),
]
Names = Annotated[
    Optional[list[str]],  # noqa: UP045
    typer.Argument(metavar="[ID]...", help="Of jobs, recordings or lectures."),
]
Everything = Annotated[bool, typer.Option("--all", help="All that this applies to.")]
OfCourse = Annotated[
    Optional[str],  # noqa: UP045
    typer.Option("--course", help="Only lectures of this course (slug)."),
]


@operating.command()
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


@operating.command()
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


@operating.command()
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


@operating.command()
def retranscode(
    *,
    profile: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(help="Name or file (default: ACADEMY_PROFILE); transcoders must have it too."),
    ] = None,
    course: OfCourse = None,
    everything: Everything = False,
    campaign: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(help="(default: the profile's name and contents)"),
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


@operating.command()
def migrate(*, data_dir: DataDir = None) -> None:
    """Bring the database of an older release up to this one."""
    from academy.commands.migrate import migrate as run

    run(data_dir=data_dir)


@operating.command()
def backup(
    directory: Annotated[Path, typer.Argument(help="A new directory for it.")],
    *,
    data_dir: DataDir = None,
) -> None:
    """Export the database as it is at one moment, while everything runs."""
    from academy.commands.backup import backup as run

    run(directory, data_dir=data_dir)


@operating.command()
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


@operating.command()
def reindex(*, data_dir: DataDir = None) -> None:
    """Build the search index anew while the present one serves."""
    from academy.commands.reindex import reindex as run

    run(data_dir=data_dir)


storage = typer.Typer(help="The bucket's set-up, and how much is stored.", no_args_is_help=True)
operating.add_typer(storage, name="storage")


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


@operating.command()
def gc(
    *,
    delete: Annotated[
        bool, typer.Option("--delete", help="Delete what is found (default: only say it).")
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
