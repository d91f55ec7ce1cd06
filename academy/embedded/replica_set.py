"""Making a mongod that listens the primary of its own replica set, whatever an earlier start left."""

from __future__ import annotations

import time
from typing import Any, Final

from pymongo import MongoClient
from pymongo.errors import ConnectionFailure, OperationFailure

from academy.embedded.home import Home
from academy.errors import SettingsError, Unavailable

USER: Final = "academy"
NAME: Final = "academy"
HOST: Final = "127.0.0.1"
PATIENCE_SECONDS: Final = 60.0
_UNAUTHORIZED = 13
_AUTHENTICATION_FAILED = 18
_ALREADY_INITIALIZED = 23
_NOT_YET_INITIALIZED = 94

_Client = MongoClient[dict[str, Any]]


def become_primary(home: Home, port: int) -> str:
    """The URL. Raises SettingsError, Unavailable and PyMongo's errors."""
    password = home.password()
    try:
        with _client(port, username=USER, password=password) as client:
            _move(client, port)
            wait_for_primary(client)
    except OperationFailure as error:
        if error.code != _AUTHENTICATION_FAILED:  # the user is made by the first start
            raise
        with _client(port) as client:
            _first_start(client, home, port)
    return f"mongodb://{USER}:{password}@{HOST}:{port}/?replicaSet={NAME}&authSource=admin"


def _client(port: int, **credentials: Any) -> _Client:
    return MongoClient(
        HOST,
        port,
        directConnection=True,
        serverSelectionTimeoutMS=int(PATIENCE_SECONDS * 1000),
        **credentials,
    )


def _first_start(client: _Client, home: Home, port: int) -> None:
    """Uses MongoDB's localhost exception, which ends with the first user."""
    members = [{"_id": 0, "host": f"{HOST}:{port}"}]
    try:
        client.admin.command("replSetInitiate", {"_id": NAME, "members": members})
    except OperationFailure as error:
        if error.code == _UNAUTHORIZED:  # there are users, but the password is not ours
            raise SettingsError(
                f"The password in {home.password_file} does not open the database: "
                "put back the file that belongs to this data directory."
            ) from error
        if error.code != _ALREADY_INITIALIZED:  # by a first start that was interrupted
            raise
    try:
        wait_for_primary(client)
    except ConnectionFailure as error:
        raise Unavailable(
            "The first start of MongoDB was interrupted and its port is taken now: "
            f"delete {home.path}, which holds nothing yet, and start again."
        ) from error
    client.admin.command("createUser", USER, pwd=home.password(), roles=["root"])


def _move(client: _Client, port: int) -> None:
    """When the port changed, the replica set's configuration names the old one."""
    config = client.local["system.replset"].find_one()
    if config is None:
        raise Unavailable("MongoDB's data directory has users but no replica set.")
    address = f"{HOST}:{port}"
    if config["members"][0]["host"] == address:
        return
    config["members"][0]["host"] = address
    config["version"] += 1
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            client.admin.command("replSetReconfig", config, force=True)
        except OperationFailure as error:
            # It may still be looking whether the old address is its own.
            if error.code != _NOT_YET_INITIALIZED or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return


def wait_for_primary(client: _Client) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not client.admin.command("hello").get("isWritablePrimary"):
        if time.monotonic() > deadline:
            raise ConnectionFailure("mongod is not the primary of its replica set")
        time.sleep(0.01)
