"""The OpenAPI document: what FastAPI derives, with what it cannot know."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from api.openapi_examples import Examples
from api.openapi_headers import HEADERS, PROBLEM_HEADERS
from api.problem_types import PREFIX, PROBLEM_TYPES, example_problem, titled
from api.problems import MEDIA_TYPE, Problem
from api.routing import MEANINGS, problems
from api.status_phrases import phrase

SUMMARY: Final = "Courses, lectures and their recordings: from upload to playback."
DESCRIPTION: Final = """\
The backend of a free lecture-video portal.

- **Texts** are written as maps by language and read as one string, chosen by `lang` or
  `Accept-Language`; `lang=*` returns the maps.
- **Reads** carry an `ETag`; send it back as `If-None-Match` to learn whether anything changed, or as
  `If-Match` with a write to make sure that nobody else wrote in between.
- **Errors** are problem details (RFC 9457), `application/problem+json`; `type` says which, and
  `components.responses` has an example of each.
- **Lists** are paged by `cursor`; follow `next_cursor` until it is null, or the `Link` header.
- **Times** are seconds, sizes bytes, bit rates bits per second, instants RFC 3339 in UTC.
"""
TAGS: Final = [
    {"name": "catalogue", "description": "For everyone; no token needed"},
    {"name": "studio", "description": "Courses and lectures, for instructors and administrators"},
    {"name": "partners", "description": "Universities, programmes, instructors: administrators"},
    {"name": "uploads", "description": "Recordings, straight to object storage, resumable"},
    {"name": "recordings", "description": "From upload to playable: progress, retry, cancel"},
    {"name": "media", "description": "What `playback` points to"},
    {"name": "webhooks", "description": "Events sent to other systems: administrators"},
    {"name": "operations", "description": "For operators"},
]
PUBLIC: Final = "catalogue"
UPPY: Final = "/v1/uppy/"
_JSON: Final = "application/json"
_PROBLEM: Final = {"$ref": "#/components/schemas/Problem"}
_SCHEMAS: Final = "#/components/schemas/"
_UNLIMITED: Final = ("/health", "/metrics", "/v1/media/")


def document(app: FastAPI) -> dict[str, Any]:
    """Made once per application; the same for every setting."""
    if app.openapi_schema is None:
        made = get_openapi(
            title=app.title,
            version=app.version,
            summary=SUMMARY,
            description=DESCRIPTION,
            routes=app.routes,
            tags=TAGS,
            license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        )
        _describe_problems(made)
        made = _renamed(made)
        components = made["components"]
        components["responses"] = _problem_responses()
        components["headers"] = HEADERS
        examples = Examples(components["schemas"])
        for path, method, operation in _operations(made):
            _complete(path, method, operation)
            _exemplify(operation, examples)
        app.openapi_schema = made
    return app.openapi_schema


def _describe_problems(made: dict[str, Any]) -> None:
    schemas: dict[str, Any] = made["components"]["schemas"]
    problem = Problem.model_json_schema(ref_template=_SCHEMAS + "{model}")
    schemas.update(problem.pop("$defs"))
    schemas["Problem"] = problem
    for schema in (problem, schemas["InvalidMember"]):
        for name, member in schema["properties"].items():
            if name not in schema["required"]:  # left out rather than null
                schema["properties"][name] = _present(member)
    problem["properties"]["type"]["x-extensible-enum"] = [PREFIX + code for code in PROBLEM_TYPES]
    # FastAPI's own shape of invalid input, which this API does not use.
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)


def _renamed(made: dict[str, Any]) -> dict[str, Any]:
    """Names as client code should have them: `Course` and `CourseList`, not `Listing_CourseOut_`."""
    schemas = made["components"]["schemas"]
    names = {name: _nice(name) for name in schemas}
    taken = [nice for name, nice in names.items() if nice == name]
    names = {name: nice for name, nice in names.items() if nice not in taken}

    def walk(value: Any) -> Any:
        if isinstance(value, dict):
            return {
                key: _SCHEMAS + names.get(item.removeprefix(_SCHEMAS), item.removeprefix(_SCHEMAS))
                if key == "$ref" and isinstance(item, str)
                else walk(item)
                for key, item in value.items()
            }
        return [walk(item) for item in value] if isinstance(value, list) else value

    renamed: dict[str, Any] = walk(made)
    components = renamed["components"]
    components["schemas"] = {
        names.get(name, name): schema for name, schema in components["schemas"].items()
    }
    for name, schema in components["schemas"].items():
        if "title" in schema:
            schema["title"] = name
    return renamed


def _nice(name: str) -> str:
    listed = re.fullmatch(r"Listing_(\w+?)_", name)
    return f"{_nice(listed[1])}List" if listed else name.removesuffix("Out")


def _problem_responses() -> dict[str, Any]:
    """One per status, under the status' phrase, with an example per problem type."""
    found: dict[str, Any] = {}
    for status, meaning in MEANINGS.items():
        found[_phrase(status)] = {
            "description": meaning,
            "headers": {name: _header(name) for name in PROBLEM_HEADERS.get(status, ())},
            "content": {
                MEDIA_TYPE: {
                    "schema": _PROBLEM,
                    "examples": {
                        code: {"summary": text, "value": example_problem(status, code, text)}
                        for code, text in titled(status).items()
                    },
                }
            },
        }
    return found


def _phrase(status: int) -> str:
    return re.sub(r"\W", "", phrase(status).title())


def _complete(path: str, method: str, operation: dict[str, Any]) -> None:
    responses: dict[str, Any] = operation["responses"]
    if _is_fastapis_own(responses.get("422")):
        responses["422"] = problems(422)[422]
    if "requestBody" in operation:
        for status, response in problems(400, 413, 415, 422).items():
            responses.setdefault(str(status), response)
    if path.startswith("/v1/"):
        responses.setdefault("503", problems(503)[503])
    if not path.startswith(_UNLIMITED):
        responses.setdefault("429", problems(429)[429])
    if method == "patch":
        content = operation["requestBody"]["content"]
        content["application/merge-patch+json"] = content[_JSON]
    if PUBLIC in operation.get("tags", []) or path.startswith(UPPY):
        # A token is possible, to see one's own drafts, and never needed; Uppy may send it in the
        # body or the query instead.
        operation["security"] = [{}, {"bearer": []}]
    read = responses.get("200", {}) if method == "get" and path.startswith("/v1/") else {}
    if _JSON in read.get("content", {}):  # `api.answers` tags them all
        responses["304"] = {"description": "What you have is current"}
    for status in sorted(responses):
        _finish_response(operation, status)
    operation["responses"] = {status: responses[status] for status in sorted(responses)} | {
        "default": {
            "description": "Any other problem",
            "content": {MEDIA_TYPE: {"schema": _PROBLEM}},
        }
    }
    for parameter in operation.get("parameters", []):
        _simplify(parameter)


def _finish_response(operation: dict[str, Any], status: str) -> None:
    responses = operation["responses"]
    response = responses[status]
    code = int(status) if status.isdigit() else 0
    if code in MEANINGS and response == problems(code)[code]:
        responses[status] = {"$ref": f"#/components/responses/{_phrase(code)}"}
        return
    parameters = {each["name"] for each in operation.get("parameters", [])}
    tagged = "304" in responses and code in {200, 304}
    names = ["ETag"] if tagged else []
    if tagged and "lang" in parameters:
        names.append("Content-Language")
    if code == 201:
        names.append("Location")
    if code == 200 and "cursor" in parameters:
        names.append("Link")
    if names:
        response["headers"] = {name: _header(name) for name in names}


def _header(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/headers/{name}"}


def _simplify(parameter: dict[str, Any]) -> None:
    """A parameter is left out or has a value: there is no null in a query or a header."""
    parameter["schema"] = _present(parameter["schema"])


def _present(schema: dict[str, Any]) -> dict[str, Any]:
    branches = [each for each in schema.get("anyOf", []) if each.get("type") != "null"]
    if len(branches) != 1 or len(schema["anyOf"]) != 2:
        return schema
    nullable = {"anyOf", "default"} if schema.get("default", 0) is None else {"anyOf"}
    return {**branches[0], **{key: each for key, each in schema.items() if key not in nullable}}


def _exemplify(operation: dict[str, Any], examples: Examples) -> None:
    for content in operation.get("requestBody", {}).get("content", {}).values():
        if "schema" in content and "$ref" in content["schema"]:
            content.setdefault("example", examples.sent(content["schema"]))
    for response in operation["responses"].values():
        found = response.get("content", {}).get(_JSON, {})
        if "schema" in found and "$ref" in found["schema"]:
            found.setdefault("example", examples.answered(found["schema"]))


def _is_fastapis_own(response: dict[str, Any] | None) -> bool:
    return response is not None and "HTTPValidationError" in str(response)


def _operations(made: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in made["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation
