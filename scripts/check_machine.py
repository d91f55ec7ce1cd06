"""Looks, before anything is installed, for what no package can bring. Needs only the standard library."""

import ctypes
import os
import platform
import shutil
import sys


def problems() -> list[str]:
    found = []
    if sys.version_info < (3, 11):
        found.append(
            f"Python {platform.python_version()} is too old: install Python 3.11 or newer "
            "and name it, for example `make run PYTHON=python3.12`."
        )
    if sys.platform == "linux" and platform.machine() == "x86_64" and not own_mongodb():
        try:
            ctypes.CDLL("libcurl.so.4")
        except OSError:
            found.append(
                "MongoDB needs the system library libcurl.so.4: install it "
                "(Debian and Ubuntu: `apt-get install libcurl4`; Fedora: `dnf install libcurl`), "
                "or set ACADEMY_MONGODB_URL to a MongoDB server that runs elsewhere."
            )
    return found


def own_mongodb() -> bool:
    return bool(os.environ.get("ACADEMY_MONGODB_URL") or shutil.which("mongod"))


if __name__ == "__main__":
    sys.exit("\n".join(problems()) or None)
