"""`docker-compose.yml`, `Dockerfile` and `.env.example` against the code they start.

No container engine is needed: what the file says is compared with the CLI, the settings and the console
scripts, and its Dask commands and certificates are run for real.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from academy.cli import app
from academy.settings import Settings
from tests.academy.compose_file import ROOT, command_of, read_compose, services_of
from transcoding.cluster import CONFIGURATION

pytestmark = pytest.mark.real

ONE_SHOT = ("bucket", "certificates", "migrate", "badge-key")
OURS = ("api", "transcoder", "scheduler", "worker", *ONE_SHOT)
SECRETS = ("SECRET_KEY", "MONGODB_PASSWORD", "MONGODB_KEYFILE", "S3_ACCESS_KEY", "S3_SECRET_KEY")


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    return read_compose()


@pytest.fixture(scope="module")
def services(compose: dict[str, Any]) -> dict[str, Any]:
    return services_of(compose)


def test_every_service_of_the_architecture_is_there(services: dict[str, Any]):
    assert set(services) == {"mongodb", "storage", *OURS}


def test_every_setting_that_is_set_exists(services: dict[str, Any]):
    named = {
        name.removeprefix("ACADEMY_").lower()
        for service in services.values()
        for name in service.get("environment", {})
        if name.startswith("ACADEMY_")
    }
    assert {"mongodb_url", "storage_url", "dask_scheduler", "secret_key"} <= named
    assert named <= set(Settings.model_fields)


def test_services_have_what_their_work_needs(services: dict[str, Any]):
    stores = {"ACADEMY_MONGODB_URL", "ACADEMY_STORAGE_URL", "AWS_ACCESS_KEY_ID"}
    for name in ("api", "transcoder", "worker"):
        assert stores <= set(services[name]["environment"]), name
    for name in ("api", "transcoder"):
        assert "ACADEMY_SECRET_KEY" in services[name]["environment"], name
    # What needs no key to sign with is not given any.
    assert "ACADEMY_SECRET_KEY" not in services["worker"]["environment"]
    # Dask talks TLS here: nothing is allowed in the plain.
    assert "PLAINTEXT" not in (ROOT / "docker-compose.yml").read_text()


def test_the_settings_of_every_service_are_valid(
    services: dict[str, Any], monkeypatch: pytest.MonkeyPatch
):
    for service in OURS:
        with monkeypatch.context() as patch:
            for name, value in services[service].get("environment", {}).items():
                if value is not None:
                    patch.setenv(name, filled(value))
            settings = Settings.load()
        if service in {"api", "transcoder"}:
            assert settings.require_mongodb_url().startswith("mongodb://academy:")
            assert settings.require_storage_url() == "s3://academy"
            assert len(settings.require_secret_key()) >= 32


def filled(value: str) -> str:
    """As docker-compose interpolates it with an .env that holds the secrets only."""

    def replace(match: re.Match[str]) -> str:
        if match["name"] in SECRETS:
            return "0123456789abcdef" * 4
        assert match["operator"] == ":-", match[0]
        return match["rest"]

    pattern = r"\$\{(?P<name>\w+)(?P<operator>:[-?])(?P<rest>[^}]*)\}"
    return re.sub(pattern, replace, value).replace("$$", "$")


def test_the_academy_commands_exist_with_their_options(services: dict[str, Any]):
    for name in ("api", "transcoder"):
        program, command, *arguments = command_of(services, name)
        assert program == "academy"
        known = CliRunner().invoke(app, [command, "--help"], terminal_width=200)
        assert known.exit_code == 0, known.output
        for option in arguments[::2]:
            assert option in known.output


def test_the_bucket_and_the_database_are_set_up_by_commands_that_exist(services: dict[str, Any]):
    for name in ("bucket", "migrate"):
        program, *words = command_of(services, name)
        assert program == "academy"
        assert CliRunner().invoke(app, [*words, "--help"]).exit_code == 0


def test_services_that_use_the_database_wait_for_its_migrations(services: dict[str, Any]):
    for name in ("api", "transcoder"):
        assert "migrate" in services[name]["depends_on"], name


def test_the_badge_key_is_made_once_and_only_read_by_the_api(
    services: dict[str, Any], tmp_path: Path
):
    (script,) = command_of(services, "badge-key")
    ring = tmp_path / "ring.json"
    script = script.replace("/badge-keys/ring.json", str(ring))
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    made = []
    for _ in range(2):
        subprocess.run(
            [*services["badge-key"]["entrypoint"], script],
            env={**os.environ, "PATH": path}, check=True, capture_output=True, timeout=60,
        )  # fmt: skip
        made.append(ring.read_bytes())
    assert made[0] == made[1]
    assert services["api"]["environment"]["ACADEMY_BADGE_KEYS"] == "/badge-keys/ring.json"
    assert "badge-keys:/badge-keys:ro" in services["api"]["volumes"]


def test_the_console_scripts_are_installed(services: dict[str, Any]):
    folder = Path(sys.executable).parent
    programs = {
        services[name]["command"][0]
        for name in OURS
        if "command" in services[name] and "entrypoint" not in services[name]
    }
    assert programs == {"academy", "dask"}
    for program in programs:
        assert (folder / program).exists()


def test_ports_are_those_that_are_listened_on(services: dict[str, Any]):
    api = command_of(services, "api")
    port = api[api.index("--port") + 1]
    assert [entry.rsplit(":", 1)[1] for entry in services["api"]["ports"]] == [port]
    assert f":{port}/health/ready" in services["api"]["healthcheck"]["test"][-1]
    assert f"EXPOSE {port}" in (ROOT / "Dockerfile").read_text()
    scheduler = command_of(services, "scheduler")
    listens = scheduler[scheduler.index("--port") + 1]
    address = f"tls://scheduler:{listens}"
    assert command_of(services, "worker")[2] == address
    assert services["transcoder"]["environment"]["ACADEMY_DASK_SCHEDULER"] == address
    s3 = services["storage"]["ports"][0].rsplit(":", 1)[1]
    assert f"-s3.port={s3}" in services["storage"]["entrypoint"][-1]
    endpoint = services["api"]["environment"]["ACADEMY_S3_ENDPOINT_URL"]
    assert endpoint == f"http://storage:{s3}"


def test_the_database_and_the_scheduler_are_published_nowhere(services: dict[str, Any]):
    assert {name for name, service in services.items() if "ports" in service} == {"api", "storage"}
    # And what is published is so on this machine's loopback unless one says otherwise.
    for name in ("api", "storage"):
        assert filled(services[name]["ports"][0]).startswith("127.0.0.1:")


def test_services_that_talk_share_a_network(compose: dict[str, Any], services: dict[str, Any]):
    networks = {name: set(service.get("networks", [])) for name, service in services.items()}
    for one, other in [
        ("api", "mongodb"), ("api", "storage"), ("transcoder", "mongodb"),
        ("transcoder", "storage"), ("transcoder", "scheduler"), ("worker", "scheduler"),
        ("worker", "mongodb"), ("worker", "storage"), ("bucket", "storage"),
    ]:  # fmt: skip
        assert networks[one] & networks[other], (one, other)
    assert not networks["scheduler"] & networks["api"]
    assert not networks["mongodb"] & networks["scheduler"]
    for name in ("data", "encoding"):
        assert compose["networks"][name]["internal"] is True


def test_no_secret_stands_in_the_files(services: dict[str, Any]):
    for name, service in services.items():
        for variable, value in service.get("environment", {}).items():
            if value is not None and re.search(r"KEY|PASSWORD|SECRET|MONGODB_URL", variable):
                if value.startswith(("/dask-tls/", "/badge-keys/")):
                    continue
                assert re.search(r"\$\{\w+:\?[^}]+\}", value), (name, variable)
    for line in (ROOT / ".env.example").read_text().splitlines():
        assert line.startswith("#") or not line.strip(), line
    assert ".env" in (ROOT / ".gitignore").read_text().splitlines()
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    assert "*" in ignored
    assert not any(line.startswith("!.env") for line in ignored)


def test_every_secret_that_is_asked_for_is_explained(services: dict[str, Any]):
    asked = set(re.findall(r"\$\{(\w+):\?", (ROOT / "docker-compose.yml").read_text()))
    assert asked == set(SECRETS)
    example = (ROOT / ".env.example").read_text()
    names = re.search(r"for name in ([A-Z0-9_ ]+); do", example)
    assert names is not None
    assert set(names[1].split()) == asked


def test_optional_variables_of_the_example_reach_a_service(services: dict[str, Any]):
    text = (ROOT / "docker-compose.yml").read_text()
    for name in re.findall(r"^#([A-Z0-9_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE):
        assert f"${{{name}" in text or f" {name}:\n" in text, name


def test_long_running_services_are_watched_and_started_again(services: dict[str, Any]):
    for name, service in services.items():
        if name in ONE_SHOT:
            assert service["restart"] == "no", name
            continue
        assert service["restart"] == "unless-stopped", name
        # The transcoder serves no port that could be asked: it ends when it cannot work.
        if name != "transcoder":
            assert {"test", "interval", "timeout", "retries"} <= set(service["healthcheck"]), name


def test_services_wait_for_what_they_need(services: dict[str, Any]):
    for name, service in services.items():
        for needed, how in service.get("depends_on", {}).items():
            if needed in ONE_SHOT:
                assert how["condition"] == "service_completed_successfully", (name, needed)
            else:
                assert how["condition"] == "service_healthy", (name, needed)
                assert "healthcheck" in services[needed], (name, needed)


def test_state_lives_in_named_volumes(compose: dict[str, Any], services: dict[str, Any]):
    used = {
        entry.split(":")[0] for service in services.values() for entry in service.get("volumes", [])
    }
    assert used == set(compose["volumes"])
    assert {"mongodb", "storage"} <= used
    assert any(entry.endswith(":/data/db") for entry in services["mongodb"]["volumes"])
    assert any(entry.endswith(":/data") for entry in services["storage"]["volumes"])


def test_images_of_others_are_pinned_to_major_and_minor(services: dict[str, Any]):
    for name in ("mongodb", "storage"):
        assert re.fullmatch(r"[\w./-]+:\d+\.\d+(\.\d+)?", services[name]["image"]), name
    for line in (ROOT / "Dockerfile").read_text().splitlines():
        if line.startswith("FROM "):
            assert re.match(r"FROM [\w./-]+:\d[\w.-]*( AS \w+)?$", line), line


def test_our_containers_may_do_nothing_special(services: dict[str, Any]):
    for name in OURS:
        assert services[name]["cap_drop"] == ["ALL"]
        assert services[name]["security_opt"] == ["no-new-privileges:true"]
        assert "privileged" not in services[name]
        assert "user" not in services[name]


def test_the_image_does_not_run_as_root_and_installs_locked_packages():
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    last_stage = lines[max(i for i, line in enumerate(lines) if line.startswith("FROM ")) :]
    assert [line for line in last_stage if line.startswith("USER ")] == ["USER academy"]
    text = "\n".join(lines)
    assert "--require-hashes -r" in text
    assert "npm ci" in text
    assert not re.search(r"curl|wget|ADD http|apt-get", text)


def test_schedulers_and_workers_of_the_image_read_the_settings_that_the_engine_has():
    found = re.search(r"DASK_CONFIG=/app/(\S+)", (ROOT / "Dockerfile").read_text())
    assert found is not None
    assert ROOT / found[1] == CONFIGURATION
    says = "import dask, distributed; print(dask.config.get('distributed.worker.profile.enabled'))"
    told = subprocess.run(
        [sys.executable, "-c", says],
        env={**os.environ, "DASK_CONFIG": str(CONFIGURATION)},
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert told.stdout.strip() == "False"


def test_what_the_image_copies_exists_and_is_sent_to_the_builder():
    sent = [
        line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line[:1] == "!"
    ]
    copied = re.findall(r"^COPY (?!--from)(.+)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    for line in copied:
        for source in line.split()[:-1]:
            assert (ROOT / source).exists(), source
            assert any(source == known or source.startswith(known + "/") for known in sent), source


def test_the_scripts_in_the_file_are_shell_that_parses(services: dict[str, Any]):
    for name in ("mongodb", "storage", "certificates"):
        *_, script = services[name]["entrypoint"]
        parsed = subprocess.run(
            ["sh", "-n"],
            input=filled(script).encode(),
            capture_output=True,
            timeout=20,
            check=False,
        )
        assert parsed.returncode == 0, parsed.stderr


def test_docker_compose_accepts_the_file(tmp_path: Path):
    program = shutil.which("docker-compose")
    if program is None:
        pytest.skip("docker-compose is not installed here")
    environment = tmp_path / "env"
    environment.write_text("".join(f"{name}={'0' * 64}\n" for name in SECRETS))
    arguments = [program, "--env-file", str(environment), "-f", str(ROOT / "docker-compose.yml")]
    bare = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    checked = subprocess.run(
        [*arguments, "config", "--quiet"], env=bare, capture_output=True, timeout=60, check=False
    )
    assert checked.returncode == 0, checked.stderr
    environment.write_text("")
    refused = subprocess.run(
        [*arguments, "config", "--quiet"], env=bare, capture_output=True, timeout=60, check=False
    )
    assert refused.returncode != 0
    assert b".env" in refused.stderr
