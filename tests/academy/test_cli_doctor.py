import os
import subprocess
import sys

import pytest

from academy.commands.doctor import examine
from academy.settings import Settings

pytestmark = pytest.mark.real

SECRET = "d" * 40


def by_part(lines):
    return {line.part: line for line in lines}


def settings(tmp_path, **more):
    return Settings.load(data_dir=tmp_path / "data", secret_key=SECRET, **more)


async def test_a_fresh_machine_is_in_order_and_nothing_is_made(tmp_path):
    lines = await examine(Settings.load(data_dir=tmp_path / "data"))
    assert all(line.good is not False for line in lines), lines
    assert [line.part for line in lines][:3] == ["Secret key", "MongoDB", "Storage"]
    assert "not running" in by_part(lines)["MongoDB"].text
    assert not (tmp_path / "data").exists()


async def test_services_that_run_are_tried_out(tmp_path, mongo_url):
    lines = await examine(
        settings(tmp_path, mongodb_url=mongo_url, storage_url=f"file://{tmp_path / 'objects'}")
    )
    parts = by_part(lines)
    assert parts["MongoDB"].good
    assert "version" in parts["MongoDB"].text
    assert parts["Storage write"].good
    assert parts["Storage read"].good


async def test_what_is_wrong_comes_with_its_remedy(tmp_path):
    (tmp_path / "file").write_text("")
    lines = await examine(
        settings(
            tmp_path,
            mongodb_url="mongodb://127.0.0.1:not-a-port/",
            storage_url=f"file://{tmp_path / 'file' / 'objects'}",
            ffmpeg=tmp_path / "no-ffmpeg",
            dask_scheduler="tcp://192.0.2.1:8786",
        )
    )
    wrong = {line.part: line.text for line in lines if line.good is False}
    assert "ACADEMY_MONGODB_URL" in wrong["MongoDB"]
    assert any(part.startswith("Storage") for part in wrong)
    assert "no-ffmpeg" in wrong["ffmpeg"]
    assert "tls://" in wrong["Dask"]


def test_the_command_prints_a_line_each_and_exits_1_when_something_is_wrong(tmp_path):
    clean = {k: v for k, v in os.environ.items() if not k.startswith("ACADEMY_")}
    result = subprocess.run(
        [sys.executable, "-m", "academy.cli", "doctor", "--data-dir", str(tmp_path / "data")],
        env=clean
        | {
            "ACADEMY_FFMPEG": str(tmp_path / "no-ffmpeg"),
            "ACADEMY_MONGODB_URL": "mongodb://127.0.0.1:9/?serverSelectionTimeoutMS=300",
        },
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert result.returncode == 1
    assert "WRONG ffmpeg: " in result.stdout
    (mongodb,) = [line for line in result.stdout.splitlines() if "MongoDB: " in line]
    assert mongodb.startswith("WRONG MongoDB: MongoDB does not answer")
    assert "correct ACADEMY_MONGODB_URL" in mongodb
    assert "ok    Dask: " in result.stdout
    assert "Traceback" not in result.stderr
