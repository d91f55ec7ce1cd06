"""Where bytes live: files below a folder, or an S3-compatible bucket, behind `academy.object_stores.Storage`."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit

from academy.errors import SettingsError
from academy.keys import KeyRing
from academy.object_stores import Storage
from academy.settings import Settings
from academy.storage.spans import spanned


def open_storage(settings: Settings, keys: KeyRing | None) -> Storage:
    """The storage that `ACADEMY_STORAGE_URL` names. Raises SettingsError.

    Opens no connection. Without `keys` a disk storage signs no links.
    """
    url = urlsplit(settings.require_storage_url())
    if url.scheme == "file":
        from academy.storage.disk import DiskStorage

        folder = Path(unquote(url.path))
        try:
            return spanned(DiskStorage(folder, keys=keys, public_url=settings.public_url))
        except OSError as error:
            raise SettingsError(
                f"ACADEMY_STORAGE_URL: {folder} cannot be used ({error.strerror}). "
                "Name a directory that can be written."
            ) from error
    # Late: boto3 takes a third of a second to import, which one-machine use need not pay.
    from academy.storage.s3 import S3Storage
    from academy.storage.s3_connection import S3Connection

    connection = S3Connection(
        endpoint_url=settings.s3_endpoint_url,
        public_endpoint_url=settings.s3_public_endpoint_url,
        region=settings.s3_region,
        addressing_style=settings.s3_addressing_style,
        checksums=settings.s3_checksums,
    )
    return spanned(S3Storage(url.netloc, url.path, connection))
