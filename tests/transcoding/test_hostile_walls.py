"""What the kernel refuses a program that reads a stranger's file, should every other wall fall."""

from __future__ import annotations

import ctypes
import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.canaries import LINUX, FileCanary, ServerCanary
from tests.fixtures_footage import Footage
from tests.footage import KINDS, make
from transcoding import confine, process
from transcoding.binary import FFmpeg
from transcoding.ffmpeg import EncodingFailed, Limits, failure, run
from transcoding.walls import around, around_our_own

LANDLOCK = confine.version(ctypes.CDLL(None)) if LINUX else 0
pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(LANDLOCK < 4, reason="needs Landlock with ports (Linux 6.7)"),
]
AMPLE = Limits(60)


@pytest.fixture
def file_canary(tmp_path: Path, footage: Footage) -> Iterator[FileCanary]:
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    path = folder / "canary.ts"
    path.write_bytes(footage("mpegts").read_bytes())
    canary = FileCanary(path)
    yield canary
    canary.close()


def inside(code: str) -> str:
    """What Python code prints within the walls of the inspecting process."""
    told, complaints = bytearray(), bytearray()
    ending = process.run(
        [sys.executable, "-I", "-c", code],
        limits=AMPLE,
        receive={1: told.extend, 2: complaints.extend},
        walls=around_our_own(Path(confine.__file__), []),
    )
    assert ending.status == 0, complaints.decode()
    return told.decode().strip()


@pytest.mark.parametrize(
    ("kind", "permission"),
    [
        ("m3u8", ["-allowed_extensions", "ALL"]),
        ("ffconcat", ["-safe", "0"]),
        ("external_track", ["-enable_drefs", "1", "-use_absolute_path", "1"]),
    ],
)
def test_ffmpeg_let_loose_on_a_list_of_files_opens_none(
    kind: str, permission: list[str], tmp_path: Path, file_canary: FileCanary, ffmpeg: FFmpeg
) -> None:
    path = make(kind, tmp_path / f"x{KINDS[kind].suffix}", target=str(file_canary.path))
    file_canary.opened()
    try:
        made = run(
            [ffmpeg.path, *permission, "-i", f"file:{path}", "-f", "null", "-"], limits=AMPLE
        )
        assert made.progress.frame == 0
    except EncodingFailed:
        pass
    assert file_canary.opened() == 0


def test_ffmpeg_let_loose_on_addresses_asks_none(tmp_path: Path, ffmpeg: FFmpeg) -> None:
    with ServerCanary() as canary:
        path = make("m3u8", tmp_path / "x.m3u8", target=canary.url)
        with pytest.raises(EncodingFailed):
            run(
                [
                    *(ffmpeg.path, "-protocol_whitelist", "file,http,tcp"),
                    *("-i", f"file:{path}", "-f", "null", "-"),
                ],
                limits=AMPLE,
            )
        assert canary.requests == []


def test_what_reads_one_loopback_port_reaches_no_other(ffmpeg: FFmpeg) -> None:
    with ServerCanary() as asked, ServerCanary() as other:
        walls = around([ffmpeg.path, "-i", asked.url])
        assert walls.ports == (asked.server_address[1],)
        with pytest.raises(EncodingFailed):
            run([ffmpeg.path, "-i", asked.url, "-f", "null", "-"], limits=AMPLE)
        assert asked.requests != []
        assert other.requests == []


@pytest.mark.parametrize("path", ["/etc/passwd", "/proc/self/environ", "/proc/1/environ"])
def test_files_of_the_machine_stay_closed(path: str) -> None:
    code = f"""
try:
    print(open({path!r}).read(1))
except OSError as error:
    print(type(error).__name__)
"""
    assert inside(code) == "PermissionError"


def test_nothing_may_be_written_but_what_the_command_names(tmp_path: Path) -> None:
    code = f"""
try:
    open({str(tmp_path / "new")!r}, "w")
except OSError as error:
    print(type(error).__name__)
"""
    assert inside(code) == "PermissionError"
    assert list(tmp_path.iterdir()) == []


def test_there_is_no_network_where_no_port_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        code = f"""
import socket
try:
    socket.create_connection(("127.0.0.1", {server.getsockname()[1]}), 5)
except OSError as error:
    print("refused")
"""
        assert inside(code) == "refused"


@pytest.mark.skipif(not LINUX or os.geteuid() != 0, reason="only root has capabilities to lose")
def test_root_keeps_one_capability_and_gains_no_privileges() -> None:
    code = "import ctypes; print([n for n in range(41) if ctypes.CDLL(None).prctl(23, n, 0, 0, 0) == 1])"
    assert inside(code) == f"[{confine.DAC_OVERRIDE}]"


@pytest.mark.parametrize(
    "tail",
    [
        "file:/data/source: Invalid data found when processing input",
        "http://127.0.0.1:4000/ab: Invalid data found when processing input",
        "[in#0 @ 0x1] Error opening input: Invalid data found when processing input",
    ],
)
def test_every_ffmpegs_words_for_an_unreadable_input_are_known(tail: str) -> None:
    assert failure(process.Ending(1, None, 1, 1, 1), tail, AMPLE).kind == "source"


def test_a_damaged_packet_is_not_an_unreadable_input() -> None:
    tail = "Error while decoding stream #0:0: Invalid data found when processing input"
    assert failure(process.Ending(1, None, 1, 1, 1), tail, AMPLE).kind == "bug"
