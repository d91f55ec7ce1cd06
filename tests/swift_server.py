"""OpenStack Swift in one process: a real, production S3 server for the tests.

    python -m tests.swift_server FOLDER PORT [ORIGIN [PARTS]]

Proxy (with s3api and tempauth), account, container and object server share an eventlet hub; the proxy
listens on PORT, the others on free ports. Prints one line of JSON when it answers, and ends when its
standard input closes: so it never outlives the tests. Data and configuration stay in FOLDER. PARTS:
how many one page of a list of parts has; a production server has 1,000.
"""

from __future__ import annotations

import eventlet.patcher

eventlet.patcher.monkey_patch(all=False, socket=True, select=True, thread=True)

import getpass  # noqa: E402
import json  # noqa: E402
import os  # noqa: E402
import sys  # noqa: E402
from pathlib import Path  # noqa: E402

import eventlet  # noqa: E402
import eventlet.hubs  # noqa: E402
import eventlet.wsgi  # noqa: E402
from swift.common import storage_policy, utils, wsgi  # noqa: E402
from swift.common.http_protocol import SwiftHttpProtocol  # noqa: E402
from swift.common.ring import RingBuilder  # noqa: E402

from tests.swift_account import FEW_PARTS, REGION, SECRET_KEY  # noqa: E402

BACKENDS = ("account", "container", "object")


def configure(folder: Path, ports: dict[str, int], origin: str, parts: int) -> None:
    """Writes every file Swift reads: no `/etc/swift` is needed."""
    data = folder / "data"
    (data / "d1").mkdir(parents=True, exist_ok=True)
    (folder / "swift.conf").write_text(
        "[swift-hash]\nswift_hash_path_suffix = tests\n\n"
        "[storage-policy:0]\nname = default\ndefault = yes\n"
    )
    for name in BACKENDS:
        (folder / f"{name}-server.conf").write_text(
            f"{_default(folder, data, ports[name])}\n"
            f"[pipeline:main]\npipeline = {name}-server\n\n"
            f"[app:{name}-server]\nuse = egg:swift#{name}\n"
        )
        ring = RingBuilder(4, 1, 1)
        ring.add_dev(
            {
                "region": 1,
                "zone": 1,
                "weight": 1,
                "ip": "127.0.0.1",
                "port": ports[name],
                "device": "d1",
            }
        )
        ring.rebalance()
        ring.get_ring().save(str(folder / f"{name}.ring.gz"))
    filters = [
        "catch_errors", "gatekeeper", "healthcheck", "listing_formats", "s3api", "tempauth", "bulk",
        "copy", "slo", "dlo", "versioned_writes", "symlink",
    ]  # fmt: skip
    options = {
        "s3api": f"location = {REGION}\nstorage_domain = s3.test\n"
        f"cors_preflight_allow_origin = {origin}\nmax_upload_part_num = 10000\n"
        # Small pages, so that a handful of objects already fills several.
        f"max_bucket_listing = 10\nmax_parts_listing = {parts}\n",
        "tempauth": f"user_test_tester = {SECRET_KEY} .admin\n",
    }
    (folder / "proxy-server.conf").write_text(
        f"{_default(folder, data, ports['proxy'])}"
        f"cors_allow_origin = {origin}\ncors_expose_headers = etag\n\n"
        f"[pipeline:main]\npipeline = {' '.join(filters)} proxy-server\n\n"
        # Errors are expected of some tests; a proxy that then sulks for a minute is not.
        "[app:proxy-server]\nuse = egg:swift#proxy\naccount_autocreate = true\n"
        "error_suppression_limit = 100000\n\n"
        + "\n".join(
            f"[filter:{name}]\nuse = egg:swift#{name}\n{options.get(name, '')}" for name in filters
        )
    )


def _default(folder: Path, data: Path, port: int) -> str:
    return (
        f"[DEFAULT]\nbind_ip = 127.0.0.1\nbind_port = {port}\nworkers = 0\n"
        f"user = {getpass.getuser()}\nswift_dir = {folder}\ndevices = {data}\n"
        "mount_check = false\nlog_address = /nonexistent\n"
    )


def serve(folder: Path, port: int, origin: str, parts: int) -> None:
    # Listening comes first: a port chosen and only later bound could be taken in between.
    sockets = {name: eventlet.listen(("127.0.0.1", 0)) for name in BACKENDS}
    sockets["proxy"] = eventlet.listen(("127.0.0.1", port))
    ports = {name: sock.getsockname()[1] for name, sock in sockets.items()}
    configure(folder, ports, origin, parts)
    utils.set_swift_dir(str(folder))
    storage_policy.reload_storage_policies()
    for name, sock in sockets.items():
        app = wsgi.loadapp(str(folder / f"{name}-server.conf"))
        eventlet.spawn(
            eventlet.wsgi.server,
            sock,
            app,
            utils.NullLogger(),
            protocol=SwiftHttpProtocol,
            capitalize_response_headers=False,
            log_output=False,
        )
    print(json.dumps({"endpoint": f"http://127.0.0.1:{ports['proxy']}"}), flush=True)


def main() -> None:
    folder, port, origin, parts = [*sys.argv[1:], *("*", str(FEW_PARTS))[len(sys.argv) - 3 :]]
    serve(Path(folder), int(port), origin, int(parts))
    while True:
        eventlet.hubs.trampoline(0, read=True)
        if not os.read(0, 4096):
            os._exit(0)


if __name__ == "__main__":
    main()
