"""Settings from the environment (prefix `ACADEMY_`). Nothing else in the project reads the environment.

A wrong value is one clear sentence at start and exit status 2 (`SettingsError`).
"""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from academy.errors import SettingsError

GIB = 1024**3
AddressingStyle = Literal["auto", "path", "virtual"]


class Settings(BaseSettings):
    """Every setting of the contract. Sizes in bytes; URLs without a trailing slash."""

    model_config = SettingsConfigDict(
        env_prefix="ACADEMY_", extra="ignore", frozen=True, populate_by_name=True
    )

    mongodb_url: str | None = None
    mongodb_database: str = "academy"
    storage_url: str | None = None
    s3_endpoint_url: str | None = None
    s3_public_endpoint_url: str | None = None
    """Where clients reach the storage, if not where the services do (an internal network)."""
    s3_region: str = "us-east-1"
    s3_addressing_style: AddressingStyle = "auto"
    s3_checksums: Literal["when_required", "when_supported"] = "when_required"
    """`when_supported` sends trailing checksums, which OSS, older Ceph and others refuse."""
    s3_public_media: bool = False
    """Everybody may read `media/` (never `recordings/`): `academy storage setup` sees to it."""
    public_media_url: str | None = None
    cdn_purge_url: str | None = None
    """Is sent a POST with the addresses that a takedown deleted."""
    cdn_purge_token: str | None = None
    quota_course_bytes: int | None = Field(default=None, gt=0)
    quota_instructor_bytes: int | None = Field(default=None, gt=0)
    """Of all courses one account owns. Sources, media and open uploads count."""
    dask_scheduler: str | None = None
    dask_tls_ca: Path | None = None
    dask_tls_cert: Path | None = None
    dask_tls_key: Path | None = None
    dask_allow_plaintext: bool = False
    data_dir: Path = Path(".academy")
    public_url: str = "http://127.0.0.1:8000"
    cors_origins: Annotated[list[str], NoDecode] = Field(default_factory=list)
    rate_limit_reads: str = "3000/minute"
    """Per account or address; `off` for none. Answers out of the response cache are not counted."""
    rate_limit_writes: str = "600/minute"
    rate_limit_store: Literal["memory", "mongodb"] = "memory"
    """`mongodb` when several API processes serve: they then count together."""
    trusted_proxies: str = "127.0.0.1,::1"
    """Addresses and networks whose `X-Forwarded-For` and `-Proto` are believed; `*` for all."""
    webhook_networks: Annotated[list[IPv4Network | IPv6Network], NoDecode] = Field(
        default_factory=list
    )
    """Private networks that webhooks may be sent to, such as `10.0.0.0/8`."""
    oidc_issuer: str | None = None
    oidc_audience: str | None = None
    roles_claim: str = "roles"
    secret_key: str | None = Field(default=None, min_length=32)
    secret_key_previous: str | None = Field(default=None, min_length=32)
    ffmpeg: Path | None = None
    profile: str = "default"
    """Of transcoding: a name from `transcoding/profiles.yaml`, or a file of the same form."""
    badge_keys: Path | None = None
    """The file of the keys that sign badges (`academy badge-key`); without it there are none."""
    issuer_name: str = Field(default="Academy", min_length=1, max_length=200)
    """Who issues certificates and badges, as they say."""
    log_format: Literal["text", "json"] = "text"
    """`json`: one object per line, with request and job ids."""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    metrics_port: int | None = Field(default=None, ge=0, le=65535)
    """Of the transcoder's Prometheus metrics; None for none. The API has its own under `/metrics`."""
    metrics_host: str = "127.0.0.1"
    otlp_endpoint: str | None = Field(default=None, validation_alias="OTEL_EXPORTER_OTLP_ENDPOINT")
    """Base address of an OpenTelemetry collector that is sent traces; None for none. Named as all
    programs that send traces name it: `OTEL_EXPORTER_OTLP_ENDPOINT`."""
    max_upload_bytes: int = Field(default=64 * GIB, gt=0)

    @field_validator("otlp_endpoint", mode="before")
    @classmethod
    def _nothing(cls, value: object) -> object:
        """As OpenTelemetry's specification has it: an empty variable is one that is not set."""
        return None if value == "" else value

    @field_validator("rate_limit_reads", "rate_limit_writes")
    @classmethod
    def _rate_limit(cls, value: str) -> str:
        from limits import parse

        if value != "off":
            try:
                parse(value)
            except ValueError as error:
                raise ValueError("must be like 600/minute or 10/second, or off") from error
        return value

    @field_validator("webhook_networks", mode="before")
    @classmethod
    def _networks(cls, value: object) -> object:
        if isinstance(value, str):
            return [network.strip() for network in value.split(",") if network.strip()]
        return value

    @field_validator("cors_origins", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return [origin.strip().rstrip("/") for origin in value.split(",") if origin.strip()]
        return value

    @field_validator(
        "public_url",
        "public_media_url",
        "cdn_purge_url",
        "s3_endpoint_url",
        "s3_public_endpoint_url",
        "oidc_issuer",
        "otlp_endpoint",
    )
    @classmethod
    def _http_url(cls, value: str | None) -> str | None:
        if value is None:
            return None
        parts = urlsplit(value)
        if parts.scheme not in {"http", "https"} or not parts.netloc:
            raise ValueError("must be an http:// or https:// address")
        return value.rstrip("/")

    @field_validator("mongodb_url")
    @classmethod
    def _mongodb(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("mongodb://", "mongodb+srv://")):
            raise ValueError("must begin with mongodb:// or mongodb+srv://")
        return value

    @field_validator("storage_url")
    @classmethod
    def _storage(cls, value: str | None) -> str | None:
        if value is None:
            return None
        parts = urlsplit(value)
        if parts.scheme == "file" and parts.path.startswith("/") and not parts.netloc:
            return value.rstrip("/")
        if parts.scheme == "s3" and parts.netloc:
            return value.rstrip("/")
        raise ValueError("must be file:///directory or s3://bucket/prefix")

    @field_validator("dask_scheduler")
    @classmethod
    def _dask(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("tls://", "tcp://")):
            raise ValueError("must be tls://host:port (or tcp://host:port on loopback)")
        return value

    @classmethod
    def load(cls, **overrides: object) -> Settings:
        """Read the environment. Raises SettingsError with one sentence that names the variable."""
        try:
            return cls(**{k: v for k, v in overrides.items() if v is not None})  # type: ignore[arg-type]
        except ValidationError as error:
            first = error.errors(include_url=False, include_context=False)[0]
            name = str(first["loc"][0]).upper() if first["loc"] else "A setting"
            if first["loc"] and not name.startswith("OTEL_"):
                name = f"ACADEMY_{name}"
            reason = first["msg"].removeprefix("Value error, ")
            raise SettingsError(f"{name}: {reason}. Correct it and start again.") from error

    def require_secret_key(self) -> str:
        if self.secret_key is None:
            raise SettingsError(
                "ACADEMY_SECRET_KEY is not set: give at least 32 random characters, "
                "for example from `openssl rand -hex 32`."
            )
        return self.secret_key

    def require_mongodb_url(self) -> str:
        if self.mongodb_url is None:
            raise SettingsError(
                "ACADEMY_MONGODB_URL is not set: name a MongoDB replica set, "
                "or use `academy up`, which starts its own."
            )
        return self.mongodb_url

    def require_storage_url(self) -> str:
        if self.storage_url is None:
            raise SettingsError(
                "ACADEMY_STORAGE_URL is not set: name file:///directory or s3://bucket/prefix, "
                "or use `academy up`, which keeps objects in its data directory."
            )
        return self.storage_url
