"""What an operator can set, from the environment (TALLYSTICK_…) or by the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from domain.wish import MOST_AMONG, Policy, Preference


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="TALLYSTICK_", frozen=True)

    data: Path = Field(
        default=Path("data"), description="Folder of the embedded database; made if missing."
    )
    database_url: SecretStr | None = Field(
        default=None, description="postgresql://… to use PostgreSQL; unset: SQLite in `data`."
    )
    archive: Path | None = Field(
        default=None, description="Folder of archived parts of the log; unset: `data`/archive."
    )
    client_time: Literal["accept", "refuse"] = Field(
        default="accept",
        description="Whether a client may say when a write happened (header Tallystick-At).",
    )
    run_projector: bool = Field(
        default=True, description="Whether the service's own process keeps the read models."
    )
    queue_limit: int = Field(
        default=2_000, ge=1, description="Commands waiting for the writer before 503 is answered."
    )
    batch_limit: int = Field(
        default=256, ge=1, description="The most commands that are appended together."
    )
    snapshot_every: int = Field(
        default=1_000, ge=10, description="Events of one provider between two snapshots."
    )
    policy: Policy = Field(
        default="first_fit",
        description="Which of the trees that fit a request gets if it states no preference.",
    )
    among: int = Field(
        default=1,
        ge=1,
        le=MOST_AMONG,
        description="Take one of so many best, by a recorded chance; several services get into "
        "each other's way less often then.",
    )
    read_wait_seconds: float = Field(
        default=10.0, gt=0, description="How long a read waits for its projection before 503."
    )
    placement_policy: Literal["legacy", "secure", "everyone"] = Field(
        default="legacy",
        description="Who may call the Placement API: as Placement's old rules have it, its new "
        "ones, or everybody.",
    )
    placement_cors_origins: str = Field(
        default="",
        description="Origins from which browsers may call the Placement API, by comma.",
    )
    placement_max_candidates: int = Field(
        default=100_000,
        ge=1,
        description="Allocation requests in one answer of the Placement API at most.",
    )
    placement_candidate_order: Literal["depth-first", "breadth-first"] = Field(
        default="depth-first",
        description="What the Placement API lists first where a limit cuts off the rest: all "
        "candidates of one tree after the other, or one of each tree in turn.",
    )
    event_source: str = Field(
        default="/tallystick",
        pattern=r"^[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]{1,255}$",
        description="The `source` of this ledger's CloudEvents, a URI or a path: keep it.",
    )
    webhook_timeout_seconds: float = Field(
        default=15.0, gt=0, le=300, description="How long a webhook's receiver may take to answer."
    )

    signing_key: Path | None = Field(
        default=None,
        description="PEM file of the Ed25519 key that signs checkpoints, made if missing; "
        "unset: `data`/signing_key.pem.",
    )
    seal_seconds: float = Field(
        default=10.0,
        ge=0,
        le=86_400,
        description="How often the service seals the log, if it grew; 0: never.",
    )

    @field_validator("database_url")
    @classmethod
    def _is_postgresql(cls, url: SecretStr | None) -> SecretStr | None:
        if url is None or not url.get_secret_value():
            return None
        if not url.get_secret_value().startswith(("postgresql://", "postgres://")):
            raise ValueError("TALLYSTICK_DATABASE_URL must start with postgresql://")
        return url

    @property
    def preference(self) -> Preference:
        return Preference(policy=self.policy, among=self.among)

    @property
    def archive_folder(self) -> Path:
        return (self.archive or self.data / "archive").absolute()

    @property
    def signing_key_file(self) -> Path:
        return (self.signing_key or self.data / "signing_key.pem").absolute()

    @property
    def proof_origin(self) -> str:
        """What checkpoints and their key are named; a plus sign would end a key's name."""
        return self.event_source.replace("+", "%2B")

    def environment(self) -> dict[str, str]:
        """The variables by which another process gets these settings."""
        given = {name: getattr(self, name) for name in self.model_fields_set}
        if self.database_url is not None:
            given["database_url"] = self.database_url.get_secret_value()
        return {
            f"TALLYSTICK_{name.upper()}": str(value)
            for name, value in given.items()
            if value is not None
        }

    @property
    def engine(self) -> Literal["sqlite", "postgresql"]:
        return "postgresql" if self.database_url else "sqlite"
