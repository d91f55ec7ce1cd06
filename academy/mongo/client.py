"""Clients and the few things every store shares: documents, transactions, and what a lost server means.

All instants are UTC and aware. Writes are acknowledged by a majority, so nothing that was answered
can be rolled back.
"""

from __future__ import annotations

import atexit
import functools
import inspect
import threading
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC
from enum import Enum
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlsplit

from pydantic import BaseModel
from pymongo import AsyncMongoClient, MongoClient
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.client_session import ClientSession
from pymongo.errors import (
    ConfigurationError,
    ConnectionFailure,
    InvalidURI,
    PyMongoError,
    ServerSelectionTimeoutError,
)

from academy.errors import SettingsError, Unavailable

Document = dict[str, Any]
Client = AsyncMongoClient[Document]
Database = AsyncDatabase[Document]
Collection = AsyncCollection[Document]
Session = AsyncClientSession
WorkerClient = MongoClient[Document]

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


_worker_clients: dict[str, WorkerClient] = {}
_worker_clients_lock = threading.Lock()


def worker_client(url: str) -> WorkerClient:
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

    So `work` may run more than once and must keep its effects inside the session. Raises Unavailable
    besides what `work` raises.
    """

    async def attempt(session: Session) -> T:
        try:
            return await work(session)
        except ServerSelectionTimeoutError as error:
            # Nobody is there; the driver would go on trying for two minutes.
            raise unavailable(error) from error

    async with database.client.start_session() as session:
        return await session.with_transaction(attempt)


def in_worker_transaction(client: WorkerClient, work: Callable[[ClientSession], T]) -> T:
    """The same, synchronous; also maps what it means when the server is away."""

    def attempt(session: ClientSession) -> T:
        try:
            return work(session)
        except ServerSelectionTimeoutError as error:
            raise unavailable(error) from error

    with while_reachable(), client.start_session() as session:
        return session.with_transaction(attempt)


def unavailable(error: PyMongoError) -> Unavailable:
    return Unavailable(f"MongoDB does not answer: {error}")


@contextmanager
def while_reachable() -> Iterator[None]:
    """Raises Unavailable for lost connections and time limits, other errors as they are."""
    try:
        yield
    except PyMongoError as error:
        if isinstance(error, ConnectionFailure) or error.timeout:
            raise unavailable(error) from error
        raise


def unavailable_when_down(store: type[T]) -> type[T]:
    """Class decorator: public coroutines run `while_reachable`."""
    for name, method in list(vars(store).items()):
        if not name.startswith("_") and inspect.iscoroutinefunction(method):
            setattr(store, name, _guarded(method))
    return store


def _guarded(method: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    @functools.wraps(method)
    async def guarded(*args: Any, **kwargs: Any) -> Any:
        with while_reachable():
            return await method(*args, **kwargs)

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
