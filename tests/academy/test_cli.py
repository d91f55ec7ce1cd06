import json
import os
import subprocess
import sys

import pytest

from academy import tokens
from academy.commands.data_directory import DataDirectory, Running, local_settings
from academy.errors import SettingsError
from academy.keys import KeyRing
from academy.people import Role

pytestmark = pytest.mark.real

SECRET = "s" * 40


def academy(*arguments, **environment):
    clean = {k: v for k, v in os.environ.items() if not k.startswith("ACADEMY_")}
    return subprocess.run(
        [sys.executable, "-m", "academy.cli", *arguments],
        env=clean | {"COLUMNS": "160", "TERM": "dumb", "NO_COLOR": "1"} | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        stdin=subprocess.DEVNULL,
    )


def one_sentence(text):
    """What stderr says, which is one line and no traceback."""
    assert "Traceback" not in text
    lines = text.strip().splitlines()
    assert len(lines) == 1, text
    return lines[0]


def test_help_names_every_command():
    result = academy("--help")
    assert result.returncode == 0
    for command in ("up", "api", "transcoder", "token", "upload", "transcode", "doctor", "openapi"):
        assert f" {command} " in result.stdout


def test_help_loads_no_service():
    heavy = ["fastapi", "pymongo", "boto3", "dask", "distributed", "av", "httpx", "PIL", "uvicorn"]
    code = f"import sys, academy.cli; print([m for m in {heavy} if m in sys.modules])"
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert result.stdout.strip() == "[]"


def test_a_wrong_setting_is_one_sentence_and_exit_2(tmp_path):
    result = academy("token", "--role", "admin", ACADEMY_MONGODB_URL="http://wrong")
    assert result.returncode == 2
    assert "ACADEMY_MONGODB_URL" in one_sentence(result.stderr)


def test_an_unknown_role_is_a_usage_error():
    result = academy("token", "--role", "emperor")
    assert result.returncode == 2
    assert "emperor" in result.stderr
    assert "Traceback" not in result.stderr


def test_token_signs_with_the_key_of_the_environment():
    result = academy(
        "token", "--role", "instructor", "--subject", "ann", "--expires", "60",
        ACADEMY_SECRET_KEY=SECRET,
    )  # fmt: skip
    identity = tokens.verify(KeyRing(SECRET), result.stdout.strip())
    assert identity.subject == "ann"
    assert identity.roles == {Role.INSTRUCTOR}


def test_token_signs_with_the_key_of_the_data_directory(tmp_path):
    key = DataDirectory(tmp_path / "data").secret_key()
    result = academy("token", "--role", "admin", "--data-dir", str(tmp_path / "data"))
    identity = tokens.verify(KeyRing(key), result.stdout.strip())
    assert identity.subject == "admin"
    assert identity.is_admin


def test_token_without_any_key_says_what_to_set(tmp_path):
    result = academy("token", "--role", "admin", "--data-dir", str(tmp_path / "nothing"))
    assert result.returncode == 2
    assert "ACADEMY_SECRET_KEY" in one_sentence(result.stderr)
    assert not (tmp_path / "nothing").exists()


def test_the_secret_key_is_made_once_and_private(tmp_path):
    directory = DataDirectory(tmp_path / "data")
    key = directory.secret_key()
    assert len(key) == 64
    assert directory.secret_key() == key
    assert (directory.path / "secret-key").stat().st_mode & 0o777 == 0o600
    assert directory.path.stat().st_mode & 0o777 == 0o700


def test_a_directory_that_cannot_be_made_is_a_clear_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingsError, match="--data-dir"):
        DataDirectory(tmp_path / "file" / "data")


def test_a_second_shell_finds_a_running_installation(tmp_path, monkeypatch):
    for name in [name for name in os.environ if name.startswith("ACADEMY_")]:
        monkeypatch.delenv(name)
    directory = DataDirectory(tmp_path / "data")
    key = directory.secret_key()
    running = Running(
        url="http://127.0.0.1:8123",
        pid=os.getpid(),
        mongodb_url="mongodb://127.0.0.1:1/",
        storage_url="file:///there",
    )
    directory.announce(running)
    assert (directory.path / "up.json").stat().st_mode & 0o777 == 0o600
    settings = local_settings(directory.path)
    assert settings.public_url == "http://127.0.0.1:8123"
    assert settings.secret_key == key
    assert settings.mongodb_url == "mongodb://127.0.0.1:1/"
    monkeypatch.setenv("ACADEMY_PUBLIC_URL", "https://elsewhere.example")
    assert local_settings(directory.path).public_url == "https://elsewhere.example"
    directory.withdraw()
    assert directory.running() is None


def test_what_a_killed_installation_announced_is_not_believed(tmp_path):
    directory = DataDirectory(tmp_path)
    ended = subprocess.run(
        [sys.executable, "-c", "import os; print(os.getpid())"],
        capture_output=True, check=True, timeout=60,
    )  # fmt: skip
    directory.announce(
        Running(url="http://x", pid=int(ended.stdout), mongodb_url="m", storage_url="s")
    )
    assert directory.running() is None


def test_up_on_a_taken_port_is_one_sentence_and_exit_2(tmp_path, taken_port):
    result = academy("up", "--port", str(taken_port), "--data-dir", str(tmp_path / "data"))
    assert result.returncode == 2
    sentence = one_sentence(result.stderr)
    assert str(taken_port) in sentence
    assert "--port" in sentence
    assert not (tmp_path / "data" / "mongodb").exists()


def test_up_on_a_used_data_directory_is_one_sentence_and_exit_2(tmp_path):
    directory = DataDirectory(tmp_path / "data")
    with directory.locked():
        result = academy("up", "--port", "0", "--data-dir", str(directory.path))
    assert result.returncode == 2
    assert "already runs" in one_sentence(result.stderr)


def test_a_service_without_its_settings_exits_2_and_names_the_variable():
    result = academy("transcoder", ACADEMY_SECRET_KEY=SECRET)
    assert result.returncode == 2
    assert "ACADEMY_" in one_sentence(result.stderr)


@pytest.mark.slow
def test_openapi_prints_the_same_document_in_any_environment():
    first = academy("openapi")
    assert first.returncode == 0, first.stderr
    document = json.loads(first.stdout)
    assert document["openapi"].startswith("3.")
    assert any(path.startswith("/v1/courses") for path in document["paths"])
    second = academy("openapi", ACADEMY_PUBLIC_URL="https://x.example", ACADEMY_MONGODB_URL="wrong")
    assert second.stdout == first.stdout


@pytest.fixture
def taken_port():
    import socket

    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield server.getsockname()[1]
