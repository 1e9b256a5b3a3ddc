"""Settings, read once by the doors: `comptoir.toml` in the working folder, then the environment (`COMPTOIR_*`).

Rooms never read settings; doors hand them values. Secrets come from the environment, or from a file of their own: a setting
of a source or CRM written as `env:NAME` is replaced by that variable, so that neither the file nor the store holds a secret.
`docs/operations.md` lists them all.
"""

import json
import os
import tempfile
import tomllib
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import holidays
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from domain.clock import Calendar
from domain.errors import ConfigurationError

FILE = Path("comptoir.toml")


class SourceSettings(BaseModel):
    """One `[[sources]]` table."""

    model_config = ConfigDict(extra="forbid")

    key: Annotated[str, Field(pattern=r"^[a-z0-9_-]{1,80}$")]
    collector: str
    title: str = ""
    settings: dict[str, str] = {}


class CrmSettings(BaseModel):
    """One `[[crms]]` table."""

    model_config = ConfigDict(extra="forbid")

    key: str
    settings: dict[str, str] = {}


class HubHeadSettings(BaseModel):
    """One `[analyzer_hub.<question>]` table: the model that answers it, see docs/hub-models.md."""

    model_config = ConfigDict(extra="forbid")

    model: str
    revision: str = ""
    task: str = "text-classification"
    labels: dict[str, str] = {}
    candidates: dict[str, dict[str, str]] = {}
    hypothesis: dict[str, str] = {}
    threshold: Annotated[float, Field(ge=0, le=1)] = 0.5
    uncertain_below: Annotated[float, Field(ge=0, le=1)] = 0.0
    batch: Annotated[int, Field(ge=1)] = 16
    device: str = "auto"
    download: bool = False


class Settings(BaseSettings):
    """Everything that can be set; the defaults run the whole product on one laptop."""

    model_config = SettingsConfigDict(env_prefix="COMPTOIR_", toml_file=FILE, extra="forbid")

    data_dir: Path = Path("data")
    database_url: str = ""  # empty: SQLite in data_dir
    brand: str = "Ormelune"
    language: Annotated[str, Field(pattern="^(fr|en)$")] = "fr"
    time_zone: str = "Europe/Paris"
    holidays_country: str = "FR"
    holidays_subdivision: str | None = None
    analyzer: str = "embedded"
    analyzer_hub: dict[str, HubHeadSettings] = {}  # question -> model of the retailer's choice
    poll_seconds: Annotated[int, Field(ge=1)] = 60
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65535)] = 8501
    viewer: str = "Admin"
    sources: list[SourceSettings] = []
    crms: list[CrmSettings] | None = None  # None: CSV files in data_dir/crm

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError(f"unknown time zone {value!r}; use a name such as Europe/Paris") from error
        return value

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the signature is pydantic's
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment wins over the file."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)

    @property
    def zone(self) -> ZoneInfo:
        """The shop's time zone."""
        return ZoneInfo(self.time_zone)

    @property
    def url(self) -> str:
        """Where the store is."""
        return self.database_url or f"sqlite:///{self.data_dir / 'comptoir.sqlite'}"

    @property
    def secrets(self) -> "SecretsFile":
        """Where secrets are kept that were pasted into the dashboard."""
        return SecretsFile(self.data_dir / "secrets.json")

    @property
    def demo_dir(self) -> Path:
        """Where the pretend network of the demo lives."""
        return self.data_dir / "demo-network"

    @property
    def demo(self) -> bool:
        """True where no source of the retailer's own is set: the demo shop stands in, with a role picker."""
        return not self.sources

    @property
    def hub_heads(self) -> dict[str, dict[str, Any]]:
        """Question -> its hub model, as `nlp.build` takes them."""
        return {question: table.model_dump() for question, table in self.analyzer_hub.items()}

    @property
    def crm_targets(self) -> list[CrmSettings]:
        """The CRMs to feed; files by default."""
        if self.crms is not None:
            return self.crms
        return [CrmSettings(key="csv_file", settings={"folder": str(self.data_dir / "crm")})]

    def calendar(self) -> Calendar:
        """Working time of the shop: its zone and its public holidays."""
        try:
            closed = holidays.country_holidays(self.holidays_country, subdiv=self.holidays_subdivision)
        except NotImplementedError as error:
            raise ConfigurationError(
                f"There is no calendar of public holidays for {self.holidays_country!r} "
                f"({self.holidays_subdivision or 'whole country'}). Set COMPTOIR_HOLIDAYS_COUNTRY to an ISO code such as FR."
            ) from error

        def is_holiday(day: date) -> bool:
            return day in closed

        return Calendar(self.zone, is_holiday)


class SecretsFile:
    """Secrets that were pasted into the dashboard: one JSON object, readable by its owner alone, beside the store.

    The environment goes before it. It is read each time, since another process may have written to it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> dict[str, str]:
        """All of them; none where there is no file. Raises ConfigurationError where it cannot be read."""
        try:
            told = json.loads(self.path.read_text("utf-8"))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            raise ConfigurationError(
                f"{self.path} cannot be read ({error}). Mend it, or remove it and paste again."
            ) from error
        if not isinstance(told, dict) or not all(isinstance(value, str) for value in told.values()):
            raise ConfigurationError(
                f"{self.path} holds something else than names and secrets. Remove it and paste again."
            )
        return told

    def keep(self, secrets: Mapping[str, str]) -> None:
        """Add or change these; the others stay. Written whole or not at all. Raises ConfigurationError where it cannot be."""
        whole = {**self.read(), **secrets}
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=self.path.parent, prefix=".secrets-")  # mode 600
            try:
                with os.fdopen(handle, "w", encoding="utf-8") as file:
                    json.dump(whole, file, ensure_ascii=False, indent=1, sort_keys=True)
                os.replace(name, self.path)  # noqa: PTH105 - as atomic as it gets
            finally:
                Path(name).unlink(missing_ok=True)
        except OSError as error:
            raise ConfigurationError(f"{self.path} cannot be written ({error.strerror}). Nothing was kept.") from error


def resolve_secrets(settings: Mapping[str, str], where: str) -> dict[str, str]:
    """Settings with each `env:NAME` replaced by that variable, else by the secret of that name in the secrets file.

    Raises ConfigurationError where there is neither.
    """
    resolved = {}
    for key, value in settings.items():
        if value.startswith("env:"):
            name = value.removeprefix("env:")
            found = os.environ.get(name)
            if found is None:
                found = load_settings().secrets.read().get(name)
            if found is None:
                raise ConfigurationError(
                    f"{where}: the setting “{key}” wants the environment variable {name}, which is not set."
                )
            value = found  # noqa: PLW2901
        resolved[key] = value
    return resolved


def load_settings(**overrides: Any) -> Settings:
    """Read the settings. Raises ConfigurationError that says which one is wrong and where."""
    try:
        return Settings(**overrides)
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors())
        raise ConfigurationError(
            f"A setting is wrong ({FILE} or COMPTOIR_* in the environment): {problems}."
        ) from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{FILE} is not valid TOML: {error}. Nothing was started.") from error
