"""Every store of one database, over one client."""

from __future__ import annotations

import asyncio

from pymongo.errors import ConfigurationError, ConnectionFailure, OperationFailure, PyMongoError

from academy.errors import SettingsError, Unavailable
from academy.mongo.accounting import MongoAccountingStore
from academy.mongo.captions import MongoCaptionStore
from academy.mongo.catalogue import MongoCatalogue
from academy.mongo.certificates import MongoCertificateStore
from academy.mongo.changes import MongoPublicChanges
from academy.mongo.client import Client, service_client
from academy.mongo.courses import MongoCourseStore
from academy.mongo.enrolments import MongoEnrolmentStore
from academy.mongo.forgetting import Forgetting
from academy.mongo.holdings import MongoHoldingsStore
from academy.mongo.idempotency import MongoIdempotencyStore
from academy.mongo.indexes import create_indexes
from academy.mongo.invitations import MongoInvitationStore
from academy.mongo.jobs import MongoJobStore
from academy.mongo.media import MongoMediaStore
from academy.mongo.migrations.run import settle_new
from academy.mongo.operating import MongoOperatorStore
from academy.mongo.opportunities import MongoOpportunityStore
from academy.mongo.outbox import MongoEventOutbox
from academy.mongo.personal_data import MongoPersonalDataStore
from academy.mongo.profiles import MongoInstructorStore, MongoProgrammeStore, MongoUniversityStore
from academy.mongo.progress import MongoProgressStore
from academy.mongo.rate_limits import MongoRateLimitStore
from academy.mongo.recordings import MongoRecordingStore
from academy.mongo.search.store import MongoSearchStore
from academy.mongo.statistics import MongoStatisticsStore
from academy.mongo.takedowns import MongoTakedownStore
from academy.mongo.uploads import MongoUploadStore
from academy.mongo.webhooks import MongoWebhookStore


class MongoStores:
    """Made by `open`, inside the event loop that will use it."""

    def __init__(self, client: Client, database_name: str) -> None:
        self.client = client
        self.database = client[database_name]
        self.universities = MongoUniversityStore(self.database)
        self.programmes = MongoProgrammeStore(self.database)
        self.instructors = MongoInstructorStore(self.database)
        self.courses = MongoCourseStore(self.database)
        self.catalogue = MongoCatalogue(self.database)
        self.public_changes = MongoPublicChanges(self.database)
        self.uploads = MongoUploadStore(self.database)
        self.recordings = MongoRecordingStore(self.database)
        self.jobs = MongoJobStore(self.database)
        self.media = MongoMediaStore(self.database)
        self.invitations = MongoInvitationStore(self.database)
        self.captions = MongoCaptionStore(self.database)
        self.search = MongoSearchStore(self.database)
        self.idempotency = MongoIdempotencyStore(self.database)
        self.outbox = MongoEventOutbox(self.database)
        self.enrolments = MongoEnrolmentStore(self.database)
        forgetting = Forgetting(self.database)
        self.progress = MongoProgressStore(self.database, forgetting)
        self.certificates = MongoCertificateStore(self.database)
        self.opportunities = MongoOpportunityStore(self.database)
        self.statistics = MongoStatisticsStore(self.database)
        self.personal_data = MongoPersonalDataStore(self.database, forgetting)
        self.webhooks = MongoWebhookStore(self.database)
        self.rate_limits = MongoRateLimitStore(self.database)
        self.accounting = MongoAccountingStore(self.database)
        self.holdings = MongoHoldingsStore(self.database)
        self.takedowns = MongoTakedownStore(self.database, self.courses)
        self.operating = MongoOperatorStore(self.database)

    @classmethod
    async def open(cls, url: str, database_name: str) -> MongoStores:
        """Connects and makes sure of the indexes.

        Raises SettingsError (malformed URL, wrong credentials, no replica set) and Unavailable.
        """
        client = service_client(url)
        try:
            await _check(client)
            stores = cls(client, database_name)
            await create_indexes(stores.database)
            await settle_new(stores.database)
        except BaseException:
            await asyncio.shield(client.close())
            raise
        return stores

    async def close(self) -> None:
        await self.search.close()
        await self.jobs.close()
        await self.client.close()

    async def ping(self) -> None:
        """Unavailable when the server does not answer."""
        try:
            await self.client.admin.command("ping")
        except PyMongoError as error:
            raise Unavailable(f"MongoDB does not answer: {error}") from error


async def _check(client: Client) -> None:
    try:
        hello = await client.admin.command("hello")
    except ConnectionFailure as error:
        raise Unavailable(
            f"MongoDB does not answer ({error}): start it, or correct ACADEMY_MONGODB_URL."
        ) from error
    except ConfigurationError as error:
        raise SettingsError(f"ACADEMY_MONGODB_URL is not usable: {error}.") from error
    except OperationFailure as error:
        if error.code == 18:
            raise SettingsError(
                "MongoDB refuses the user or password in ACADEMY_MONGODB_URL: correct them."
            ) from error
        raise
    if "setName" not in hello and hello.get("msg") != "isdbgrid":
        raise SettingsError(
            "The MongoDB server of ACADEMY_MONGODB_URL is not a replica set, which transactions and "
            "change streams need: start it with --replSet and run rs.initiate() once."
        )
