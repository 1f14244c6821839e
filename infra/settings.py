"""What an operator can set, from the environment (TALLYSTICK_…) or by the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="TALLYSTICK_", frozen=True)

    data: Path = Field(
        default=Path("data"), description="Folder of the embedded database; made if missing."
    )
    database_url: SecretStr | None = Field(
        default=None, description="postgresql://… to use PostgreSQL; unset: SQLite in `data`."
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
    read_wait_seconds: float = Field(
        default=10.0, gt=0, description="How long a read waits for its projection before 503."
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
    def engine(self) -> Literal["sqlite", "postgresql"]:
        return "postgresql" if self.database_url else "sqlite"
