from __future__ import annotations

import ast
import importlib
import json
import pkgutil
import re
from pathlib import Path

import pytest
from jsonschema_rs import Draft202012Validator

import academy
import api
from academy.errors import AcademyError
from api.openapi import UPPY
from api.problem_types import PROBLEM_TYPES
from api.problems import STATUSES
from tests.openapi_drift import described, differences, main


@pytest.fixture(scope="module")
def document():
    return described()


def operations(document):
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield method, path, operation


def test_the_kept_document_is_what_the_code_describes(capsys):
    assert main() == 0, capsys.readouterr().out


def test_differences_are_named_by_their_pointers():
    kept = {"paths": {"/v1/a": {"get": 1}, "/v1/b": 2}}
    made = {"paths": {"/v1/a": {"get": 3}, "/v1/c": 2}}
    assert differences(kept, kept) == []
    assert differences(kept, made) == [
        "/paths/~1v1~1a/get differs",
        "/paths/~1v1~1b is only in the file",
        "/paths/~1v1~1c is only in the code",
    ]


def test_operations_have_names_of_their_own(document):
    names = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(names) == len(set(names))
    assert {"list_courses", "create_lecture", "complete_upload", "follow_recording"} <= set(names)


def test_every_problem_is_described_as_one(document):
    for method, path, operation in operations(document):
        for status, response in operation["responses"].items():
            if status == "default" or int(status) >= 400:
                described = resolved(document, response)
                assert "application/problem+json" in described["content"], (method, path, status)
    assert "HTTPValidationError" not in str(document)


def resolved(document, value):
    while "$ref" in value:
        found = document
        for step in value["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        value = found
    return value


def test_every_example_fits_its_schema(document):
    checked = set()
    for method, path, operation in operations(document):
        bodies = [operation.get("requestBody", {}), *operation["responses"].values()]
        for body in bodies:
            for content in resolved(document, body).get("content", {}).values():
                shown = [each["value"] for each in content.get("examples", {}).values()]
                shown += [content["example"]] if "example" in content else []
                for example in shown:
                    # Most problems are the same ones.
                    key = json.dumps([content["schema"], example], sort_keys=True)
                    if key in checked:
                        continue
                    checked.add(key)
                    schema = {**content["schema"], "components": document["components"]}
                    wrong = [
                        f"{error.instance_path}: {error.message}"
                        for error in Draft202012Validator(schema).iter_errors(example)
                    ]
                    assert not wrong, (method, path, example, wrong)
    assert len(checked) > 100


def test_json_bodies_have_examples(document):
    for method, path, operation in operations(document):
        for body in (operation.get("requestBody", {}), *operation["responses"].values()):
            content = resolved(document, body).get("content", {}).get("application/json", {})
            if "$ref" in content.get("schema", {}):
                assert "example" in content, (method, path)


def error_kinds():
    """Those that the API may meet: the transcoder and the commands have more."""
    kinds = {AcademyError}
    while more := {below for kind in kinds for below in kind.__subclasses__()} - kinds:
        kinds |= more
    return {
        kind
        for kind in kinds
        if kind.__module__.startswith(("academy.", "api."))
        and not kind.__module__.startswith("academy.commands.")
    }


def codes_in_the_source():
    """Of every error class, of every error made with a code of its own, and of every problem."""
    for package in (academy, api):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if "commands" not in module.name:
                importlib.import_module(module.name)
    kinds = error_kinds()
    names = {kind.__name__ for kind in kinds}
    yield from (kind.code for kind in kinds)
    for package in (academy, api):
        for file in Path(package.__path__[0]).rglob("*.py"):
            if "node_modules" not in file.parts:
                yield from codes_in(ast.parse(file.read_text(encoding="utf-8")), names)


def codes_in(tree, kinds):
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        called = getattr(node.func, "attr", getattr(node.func, "id", ""))
        given = [each.value for each in node.keywords if each.arg == "code"]
        if called == "problem":
            given += node.args[2:3]
        if called in kinds or called == "problem":
            yield from (each.value for each in given if isinstance(each, ast.Constant))


NEVER_ANSWERED = {"error", "settings", "transient", "lease_lost"}
"""Of base classes, and of errors that only the command line and the transcoder meet."""


def test_every_problem_type_is_documented():
    codes = set(codes_in_the_source()) - NEVER_ANSWERED
    assert codes - set(PROBLEM_TYPES) == set(), "name them in api/problem_types.py"


def test_statuses_of_problem_types_are_those_that_are_answered():
    for kind in error_kinds():
        status = next((STATUSES[each] for each in kind.__mro__ if each in STATUSES), None)
        if status is not None and kind.code not in NEVER_ANSWERED:
            assert PROBLEM_TYPES[kind.code].status == status, kind


def test_parameters_are_left_out_rather_than_null(document):
    for method, path, operation in operations(document):
        for parameter in operation.get("parameters", []):
            assert {"type": "null"} not in parameter["schema"].get("anyOf", []), (method, path)


def test_names_are_fit_for_client_code(document):
    schemas = document["components"]["schemas"]
    assert {"Course", "CourseList", "Lecture", "Recording", "Problem"} <= set(schemas)
    assert all(re.fullmatch(r"[A-Z][A-Za-z0-9]*", name) for name in schemas), sorted(schemas)
    for _, _, operation in operations(document):
        assert re.fullmatch(r"[a-z]+(_[a-z]+)*", operation["operationId"])


def test_whatever_creates_takes_an_idempotency_key(document):
    creating = [
        (path, {each["name"].lower() for each in operation.get("parameters", [])})
        for method, path, operation in operations(document)
        if method == "post" and "201" in operation["responses"]
    ]
    assert len(creating) >= 10
    assert [path for path, names in creating if "idempotency-key" not in names] == []


def test_writing_needs_a_token_and_reading_the_catalogue_does_not(document):
    for method, path, operation in operations(document):
        if path.startswith(UPPY):
            assert {"bearer": []} in operation["security"], (method, path)
        elif method != "get" or path.startswith("/v1/me/"):
            assert operation["security"] == [{"bearer": []}], (method, path)
    for path in ("/v1/courses", "/v1/lectures/{lecture_id}"):
        assert {} in document["paths"][path]["get"]["security"]


UNTAGGED = {
    "/health/live": "says that this process runs, now",
    "/health/ready": "says what works, now",
}
"""Reads of JSON without a tag, and why."""


def test_every_read_of_json_is_conditional(document):
    reads = {
        path: operation["responses"]
        for method, path, operation in operations(document)
        if method == "get"
        and "application/json" in operation["responses"].get("200", {}).get("content", {})
    }
    without = {
        path
        for path, responses in reads.items()
        if "ETag" not in responses["200"].get("headers", {})
        or "ETag" not in responses.get("304", {}).get("headers", {})
    }
    assert without == set(UNTAGGED)
    assert len(reads) > 40
    # So that tests/api/test_schema_conformance.py misses it in any answer that comes without.
    assert document["components"]["headers"]["ETag"]["required"] is True


def test_no_reference_leads_nowhere(document):
    found = set()

    def look(value):
        if isinstance(value, dict):
            if "$ref" in value:
                found.add(value["$ref"])
            for each in value.values():
                look(each)
        elif isinstance(value, list):
            for each in value:
                look(each)

    look(document)
    for reference in found:
        assert resolved(document, {"$ref": reference})
