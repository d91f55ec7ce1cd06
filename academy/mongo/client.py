"""Clients and the few things every store shares: documents, transactions, and what a lost server means.

All instants are UTC and aware. Writes are acknowledged by a majority, so nothing that was answered
can be rolled back.
"""

from __future__ import annotations

import atexit
import functools
import inspect
import threading
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC
from enum import Enum
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlsplit

from pydantic import BaseModel
from pymongo import AsyncMongoClient, MongoClient
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import ConfigurationError, ConnectionFailure, InvalidURI

from academy.errors import SettingsError, Unavailable

Document = dict[str, Any]
Client = AsyncMongoClient[Document]
Database = AsyncDatabase[Document]
Collection = AsyncCollection[Document]
Session = AsyncClientSession

T = TypeVar("T")
ModelT = TypeVar("ModelT", bound=BaseModel)

_ALWAYS: dict[str, Any] = {"tz_aware": True, "tzinfo": UTC, "w": "majority"}
_UNLESS_IN_URL: dict[str, Any] = {
    "appname": "academy",
    "serverSelectionTimeoutMS": 5_000,
    "connectTimeoutMS": 5_000,
}


def _options(url: str) -> dict[str, Any]:
    named = {name.lower() for name, _ in parse_qsl(urlsplit(url).query, keep_blank_values=True)}
    usual = {name: value for name, value in _UNLESS_IN_URL.items() if name.lower() not in named}
    return {**usual, **_ALWAYS}


def service_client(url: str) -> Client:
    """One per process, made inside its event loop. SettingsError for a malformed URL."""
    try:
        return AsyncMongoClient(url, **_options(url))
    except (InvalidURI, ConfigurationError, ValueError) as error:
        raise SettingsError(f"ACADEMY_MONGODB_URL is not usable: {error}.") from error


_worker_clients: dict[str, MongoClient[Document]] = {}
_worker_clients_lock = threading.Lock()


def worker_client(url: str) -> MongoClient[Document]:
    """Synchronous, for workers: one per process and URL, thread-safe, connects when first used.

    Open until the process ends or `close_worker_clients`.
    """
    with _worker_clients_lock:
        client = _worker_clients.get(url)
        if client is None:
            if not _worker_clients:
                atexit.register(close_worker_clients)
            try:
                client = MongoClient(url, **_options(url))
            except (InvalidURI, ConfigurationError, ValueError) as error:
                raise SettingsError(f"ACADEMY_MONGODB_URL is not usable: {error}.") from error
            _worker_clients[url] = client
        return client


def close_worker_clients() -> None:
    with _worker_clients_lock:
        while _worker_clients:
            _worker_clients.popitem()[1].close()


async def in_transaction(database: Database, work: Callable[[Session], Awaitable[T]]) -> T:
    """All of `work` or none of it; repeated when it met another transaction.

    So `work` may run more than once and must keep its effects inside the session.
    """
    async with database.client.start_session() as session:
        return await session.with_transaction(work)


def unavailable_when_down(store: type[T]) -> type[T]:
    """Class decorator: public coroutines raise Unavailable when the server cannot be reached."""
    for name, method in list(vars(store).items()):
        if not name.startswith("_") and inspect.iscoroutinefunction(method):
            setattr(store, name, _guarded(method))
    return store


def _guarded(method: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    @functools.wraps(method)
    async def guarded(*args: Any, **kwargs: Any) -> Any:
        try:
            return await method(*args, **kwargs)
        except ConnectionFailure as error:
            raise Unavailable(f"MongoDB does not answer: {error}") from error

    return guarded


def plain(value: Any) -> Any:
    """What BSON can hold: models become maps, enumerations their values."""
    if isinstance(value, BaseModel):
        return plain(value.model_dump())
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    return value


def to_document(model: BaseModel, *, key: str = "id") -> Document:
    """The model's member `key` becomes `_id`."""
    document: Document = plain(model)
    return {"_id": document.pop(key), **document}


def from_document(kind: type[ModelT], document: Mapping[str, Any], *, key: str = "id") -> ModelT:
    """Members that only the stores know are dropped."""
    return kind.model_validate({**document, key: document["_id"]})
