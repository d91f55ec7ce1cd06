"""What a supervised command may reach: what its own words name, and nothing else. Pure but for `Path` checks."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

SYSTEM: Final = ("/usr", "/lib", "/lib64", "/bin", "/nix/store")
"""Programs and libraries; never `/etc`, `/home`, `/proc` or the like."""
HARMLESS: Final = (
    *("/etc/ld.so.cache", "/etc/localtime", "/proc/cpuinfo", "/proc/meminfo"),
    *("/sys/devices/system/cpu", "/dev/urandom", "/dev/random", "/dev/zero"),
)
_ADDRESS: Final = re.compile(r"https?://127\.0\.0\.1:(\d{1,5})(?:/|$)")


@dataclass(frozen=True, slots=True)
class Walls:
    """Paths by right (`transcoding.confine.RIGHTS`), and TCP ports of this machine."""

    run: tuple[str, ...] = ()
    read: tuple[str, ...] = ()
    listing: tuple[str, ...] = ()
    write: tuple[str, ...] = ()
    ports: tuple[int, ...] = ()

    def words(self) -> str:
        """For the supervisor's command line."""
        paths = {"run": self.run, "read": self.read, "list": self.listing, "write": self.write}
        return json.dumps([paths, self.ports])


def around(command: Sequence[str], directory: Path | None = None) -> Walls:
    """The inputs may be read (`file:/…`, or what follows `-i`), the folders of other absolute paths and
    `directory` be written, loopback addresses be connected to.
    """
    program, *words = command
    reading: list[str] = []
    writing: list[str] = [str(directory)] if directory else []
    ports: list[int] = []
    before = ""
    for word in words:
        if found := _ADDRESS.match(word):
            ports.append(int(found[1]))
        elif word.startswith("file:/") or (before == "-i" and word.startswith("/")):
            reading.append(word.removeprefix("file:"))
        elif word.startswith("/"):
            writing.append(_written(Path(word)))
        before = word
    return Walls(
        run=(*SYSTEM, program, str(Path(program).resolve())),
        read=(*HARMLESS, *reading),
        write=("/dev/null", *writing),
        ports=tuple(ports),
    )


def around_our_own(script: Path, words: Sequence[str]) -> Walls:
    """For `sys.executable -I script words…`: also Python, what is installed for it, and the script's package.

    Of the project's own folder only names are seen: data may lie in it.
    """
    given = around([sys.executable, *words])
    package = Path(__file__).parent
    return Walls(
        run=(*given.run, sys.prefix, sys.base_prefix, sys.exec_prefix),
        read=(*given.read, str(package), str(script)),
        listing=(str(package.parent),),
        write=("/dev/null",),
        ports=given.ports,
    )


def _written(path: Path) -> str:
    """A new file needs its folder; a device is enough by itself."""
    special = path.exists() and not path.is_file() and not path.is_dir()
    return str(path if special or path.is_dir() else path.parent)
