from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
WORKER = """
import logging, distributed
from academy.correlation import working_for
from transcoding.worker_logs import dask_setup
dask_setup(None)
with working_for(request="r1", job="j1"):
    logging.getLogger("transcoding.tasks").warning("a chunk failed")
logging.getLogger("distributed.worker").warning("Dask's own")
"""


def test_a_workers_lines_are_objects_with_the_ids_of_request_and_job() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", WORKER],
        env={**os.environ, "ACADEMY_LOG_FORMAT": "json"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    ours, dasks = (json.loads(line) for line in ended.stderr.splitlines())
    assert (ours["message"], ours["request_id"], ours["job_id"]) == ("a chunk failed", "r1", "j1")
    assert (dasks["logger"], dasks["level"]) == ("distributed.worker", "warning")
