"""schemathesis against the running server: no 5xx, no status that is not documented, every answer as
its schema says. A few requests for each operation here; many with the slow tests.

schemathesis is imported by the test that needs it: every one of xdist's workers imports this module.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_network
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from pymongo import MongoClient

from academy.badge_keys import renew
from academy.keys import KeyRing
from academy.people import Role
from academy.settings import Settings
from academy.tokens import issue
from api.app import create_app
from api.server import Server
from tests.openapi_drift import DOCUMENT

if TYPE_CHECKING:
    import schemathesis

SECRET = "a secret of at least thirty-two characters"
WANTED = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
)


@dataclass(frozen=True, slots=True)
class Running:
    url: str
    headers: dict[str, str]
    known: dict[str, str]
    """Path parameters that lead somewhere."""


@pytest.fixture(scope="module")
def running(
    mongo_url: str, database_name: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Running]:
    """A server on a port of its own, in a thread: the tests here are synchronous."""
    ring = tmp_path_factory.mktemp("keys") / "badge-keys.json"
    kid = renew(ring)
    made = Settings(
        mongodb_url=mongo_url,
        mongodb_database=database_name,
        storage_url=tmp_path_factory.mktemp("storage").as_uri(),
        secret_key=SECRET,
        badge_keys=ring,
        webhook_networks=[ip_network("127.0.0.0/8")],
        rate_limit_reads="off",
        rate_limit_writes="off",
    )
    server = Server(create_app(made), "127.0.0.1", 0)
    failures: list[BaseException] = []

    def serve() -> None:
        try:
            with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
                runner.run(server.run_app())
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=serve)
    thread.start()
    while not server.started and not failures:
        thread.join(0.02)
    assert not failures
    port = server.servers[0].sockets[0].getsockname()[1]
    token = issue(KeyRing(SECRET), Role.ADMIN, "root", 3600)
    headers = {"Authorization": f"Bearer {token}"}
    url = f"http://127.0.0.1:{port}"
    with httpx.Client(base_url=url, headers=headers) as client:
        known = fill(client) | {"kid": kid}
        with MongoClient[dict[str, Any]](mongo_url) as mongo:
            lectures = mongo[database_name]["lectures"]
            lectures.update_one({"_id": known["lecture_id"]}, {"$set": {"duration": 10.0}})
        learner = issue(KeyRing(SECRET), Role.LEARNER, "lea", 3600)
        for holder in (token, learner):  # the administrator erases what is theirs in a test
            client.headers["Authorization"] = f"Bearer {holder}"
            known["code"] = learn(client, known)
        yield Running(url, headers, known)
    server.should_exit = True
    thread.join()
    assert not failures


def fill(client: httpx.Client) -> dict[str, str]:
    """A published course with a lecture, an upload and an invitation; an offer, and a webhook with a delivery."""

    def post(path: str, **body: object) -> dict[str, str]:
        return posted(client, path, body)

    for noun in ("universities", "programmes", "instructors"):
        post(f"/v1/{noun}", slug="known", name={"en": "Known", "zh": "已知"})
    post("/v1/courses", slug="known", title={"en": "Known", "zh": "已知"}, language="en")
    lecture = post("/v1/courses/known/lectures", title="One")
    upload = post(f"/v1/lectures/{lecture['id']}/uploads", filename="a.mp4", size=9 * 1024**2)
    post("/v1/courses/known/publish")
    post(f"/v1/lectures/{lecture['id']}/publish")
    invitation = post(f"/v1/lectures/{lecture['id']}/invitations")
    offer = {"title": "T", "organisation": "O", "kind": "job", "closes_on": "2999-01-01"}
    opportunity = post("/v1/opportunities", url="https://partner.example/", **offer)
    webhook = post("/v1/webhooks", url="http://127.0.0.1:9/", events=["certificate.issued"])
    delivery = post(f"/v1/webhooks/{webhook['id']}/test")
    return {
        "slug": "known",
        "lecture_id": lecture["id"],
        "upload_id": upload["id"],
        "invitation_id": invitation["id"],
        "opportunity_id": opportunity["id"],
        "webhook_id": webhook["id"],
        "delivery_id": delivery["id"],
    }


def learn(client: httpx.Client, known: dict[str, str]) -> str:
    """Enrols, watches everything, and is certified: the code."""
    course = f"/v1/courses/{known['slug']}"
    assert client.put(f"{course}/enrolment").is_success
    report = {"position": 10, "watched": [[0, 10]]}
    assert client.put(f"/v1/me/progress/{known['lecture_id']}", json=report).is_success
    return posted(client, f"{course}/certificate", {"name": "Léa 张三"})["code"]


def posted(client: httpx.Client, path: str, body: object) -> dict[str, str]:
    answer = client.post(path, json=body)
    assert answer.is_success, answer.text
    made: dict[str, str] = answer.json()
    return made


def bare(value: Any) -> Any:
    """Without examples, which only cost time here, and without `default`, which documents every
    status there is.
    """
    if isinstance(value, dict):
        return {
            name: bare(each)
            for name, each in value.items()
            if not (name in {"example", "examples"} and isinstance(each, dict | list))
            and not (name == "default" and "content" in (each if isinstance(each, dict) else {}))
        }
    return [bare(each) for each in value] if isinstance(value, list) else value


@pytest.fixture(scope="module")
def operations() -> Any:
    import schemathesis

    return schemathesis.openapi.from_dict(bare(json.loads(DOCUMENT.read_text(encoding="utf-8"))))


OPERATIONS = [
    (method, path)
    for path, methods in json.loads(DOCUMENT.read_text(encoding="utf-8"))["paths"].items()
    for method in methods
]


def conforms(operation: Any, running: Running, **options: Any) -> None:
    from schemathesis.checks import CHECKS

    checks: list[Any] = [CHECKS.get_one(name) for name in WANTED]

    @settings(
        phases=[Phase.generate],
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        **options,
    )
    @given(case=operation.as_strategy())
    def ask(case: schemathesis.Case[Any]) -> None:
        if case.method != "DELETE":
            lead = {
                name: running.known[name] for name in case.path_parameters if name in running.known
            }
            case.path_parameters.update(lead)
        case.call_and_validate(
            base_url=running.url,
            headers=running.headers,
            checks=checks,
            timeout=30,
        )

    ask()


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_every_operation_answers_as_documented(operations, running, method, path):
    conforms(operations[path][method], running, max_examples=2, derandomize=True)


@pytest.mark.slow
@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_every_operation_answers_as_documented_whatever_is_sent(operations, running, method, path):
    conforms(operations[path][method], running, max_examples=80)
