"""Log lines carry the ids of the request and the job they were written for."""

from __future__ import annotations

import json
import logging
import sys

from academy.correlation import accepted, job_id, request_id, working_for
from academy.logs import JsonLines, TextLines


def record(message="Said", *args, **extra):
    made = logging.makeLogRecord({"name": "a.b", "levelno": logging.INFO, "levelname": "INFO",
                                  "msg": message, "args": args})  # fmt: skip
    vars(made).update(extra)
    return made


def test_a_line_is_one_json_object_with_both_ids():
    with working_for(request="r1", job="j1"):
        line = JsonLines().format(record("two\nlines %d 讲", 3, route="/v1/x"))
    assert "\n" not in line
    told = json.loads(line)
    assert told.pop("time").endswith("+00:00")
    assert told == {
        "level": "info", "logger": "a.b", "message": "two\nlines 3 讲",
        "request_id": "r1", "job_id": "j1", "route": "/v1/x",
    }  # fmt: skip


def test_an_exception_stays_on_its_line():
    try:
        int("why")
    except ValueError:
        broken = record("Broken", exc_info=sys.exc_info())
    told = json.loads(JsonLines().format(broken))
    assert "ValueError: invalid literal" in told["exception"]
    assert "request_id" not in told


def test_text_lines_end_with_the_ids_and_cannot_pretend_to_be_others():
    with working_for(request="r1"):
        line = TextLines().format(record("first\n2026-01-01 ERROR forged"))
    assert line.endswith("[request=r1]")
    assert "\n  2026-01-01" in line


def test_ids_end_with_the_work_they_belong_to():
    with working_for(request="outer"), working_for(request="inner", job="j"):
        assert (request_id.get(), job_id.get()) == ("inner", "j")
    assert (request_id.get(), job_id.get()) == (None, None)


def test_an_id_from_outside_is_taken_only_where_it_is_harmless():
    assert accepted("a-b.c_9") == "a-b.c_9"
    for bad in (None, "", "x" * 65, "a\nb", "a b", "é"):
        assert len(accepted(bad)) == 32
