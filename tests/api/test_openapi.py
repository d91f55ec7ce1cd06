from __future__ import annotations

import pytest

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
                assert "application/problem+json" in response["content"], (method, path, status)
    assert "HTTPValidationError" not in str(document)


def test_writing_needs_a_token_and_reading_the_catalogue_does_not(document):
    for method, path, operation in operations(document):
        if method != "get" or path.startswith("/v1/me/"):
            assert operation["security"] == [{"bearer": []}], (method, path)
    for path in ("/v1/courses", "/v1/lectures/{lecture_id}"):
        assert {} in document["paths"][path]["get"]["security"]


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
    schemas = document["components"]["schemas"]
    assert {reference.rsplit("/", 1)[1] for reference in found} <= set(schemas)
