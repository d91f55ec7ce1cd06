"""Confines the process it runs in, for good: what a hostile file might make ffmpeg do, the kernel refuses.

Part of the supervisor, so free of project imports. Linux's Landlock (5.13; 6.7 for ports) needs no rights
and lets the process open the named files and folders and connect to the named ports, nothing else. As
root, the network is a new, empty one where no port is needed, and every capability goes but the one that
lets root read its users' files. What a kernel lacks is left out: the allow-lists of ffmpeg's demuxers
and protocols, the empty environment and the limits stand everywhere.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys

CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
"""System calls, the same on every architecture."""
VERSION = 1
BENEATH, PORT = 1, 2
EXECUTE, WRITE_FILE, READ_FILE, READ_DIR, REMOVE_FILE = 1 << 0, 1 << 1, 1 << 2, 1 << 3, 1 << 5
MAKE_REG, TRUNCATE = 1 << 8, 1 << 14
CONNECT_TCP = 1 << 1
KNOWN = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}
"""Rights of the file system by Landlock's version; later ones have what the fifth has."""
OF_FILES = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | 1 << 15
RIGHTS = {
    "run": EXECUTE | READ_FILE | READ_DIR,
    "read": READ_FILE | READ_DIR,
    "list": READ_DIR,
    "write": READ_FILE | READ_DIR | WRITE_FILE | MAKE_REG | REMOVE_FILE | TRUNCATE,
}
CLONE_NEWNET = 0x40000000
PR_CAPBSET_DROP = 24
DAC_OVERRIDE = 1
CAPABILITIES = 64


class Ruleset(ctypes.Structure):
    _fields_ = (("files", ctypes.c_uint64), ("net", ctypes.c_uint64), ("scoped", ctypes.c_uint64))


class Beneath(ctypes.Structure):
    _pack_ = 1
    _layout_ = "ms"
    _fields_ = (("allowed", ctypes.c_uint64), ("parent", ctypes.c_int32))


class Port(ctypes.Structure):
    _fields_ = (("allowed", ctypes.c_uint64), ("port", ctypes.c_uint64))


def version(libc: ctypes.CDLL) -> int:
    """Landlock's version here; 0 where there is none."""
    if not sys.platform.startswith("linux"):
        return 0
    return max(0, int(libc.syscall(CREATE_RULESET, None, ctypes.c_size_t(0), VERSION)))


def confine(paths: dict[str, list[str]], ports: list[int]) -> None:
    """`paths`: files and folders by the name of a right. Call after PR_SET_NO_NEW_PRIVS."""
    libc = ctypes.CDLL(None, use_errno=True)
    known = version(libc)
    if not sys.platform.startswith("linux"):
        return
    if os.geteuid() == 0:
        if not ports:
            # From UDP and abstract sockets, too. Refused in some containers: then Landlock is left.
            libc.unshare(CLONE_NEWNET)
        for capability in range(CAPABILITIES):
            if capability != DAC_OVERRIDE:
                libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)
    if not known:
        return
    handled = (1 << KNOWN.get(known, 16)) - 1
    ruleset = Ruleset(handled, 3 if known >= 4 else 0, 3 if known >= 6 else 0)
    size = 8 if known < 4 else 16 if known < 6 else 24
    rules = libc.syscall(CREATE_RULESET, ctypes.byref(ruleset), ctypes.c_size_t(size), 0)
    if rules < 0:
        raise OSError(ctypes.get_errno(), "landlock_create_ruleset")
    for right, named in paths.items():
        for path in named:
            allow(libc, rules, path, RIGHTS[right] & handled)
    for port in ports if known >= 4 else ():
        rule = Port(CONNECT_TCP, port)
        libc.syscall(ADD_RULE, rules, PORT, ctypes.byref(rule), 0)
    if libc.syscall(RESTRICT_SELF, rules, 0) < 0:
        raise OSError(ctypes.get_errno(), "landlock_restrict_self")
    os.close(rules)


def allow(libc: ctypes.CDLL, rules: int, path: str, rights: int) -> None:
    """What is not there needs no rule."""
    with contextlib.suppress(OSError):
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
        if not os.path.isdir(path):  # noqa: PTH112 - pathlib takes 5 ms to load
            rights &= OF_FILES
        rule = Beneath(rights, place)
        libc.syscall(ADD_RULE, rules, BENEATH, ctypes.byref(rule), 0)
        os.close(place)
