"""Settings of engine and server: defaults, then `config.toml`, then the environment (`DETRDESK_...`)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from engine.errors import EngineError
from engine.paths import config_dir


def _words(given: object) -> object:
    """Split a text at commas or white space."""
    return given.replace(",", " ").split() if isinstance(given, str) else given


Words = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_words)]


class Settings(BaseSettings):
    """The engine's settings.

    Attributes:
        model: The model that is used where none is named.
        device: `auto` (CUDA, then MPS, then the CPU), `cpu`, `cuda`, `cuda:N` or `mps`.
        runtime: What executes checkpoints on the CPU: `auto` (torch, until OpenVINO can take over), `torch` alone, or
            `openvino`, for which the first use waits until the model is converted.
        max_pixels: Largest image, width x height, pixels.
        max_file_bytes: Largest local file, bytes.
        max_fetch_bytes: Largest image behind a URL, bytes.
        fetch_seconds: Longest fetch of a URL, all in all, seconds.
        loaded_models: How many models may be in memory at once.
        hub_endpoint: Address of the hub that models are downloaded from; empty for `HF_ENDPOINT` or huggingface.co.

    Those of the server:
        host, port: Where it listens; port 0 picks a free one.
        models: What it serves: catalog names, checkpoint folders or NAME=FOLDER; the first is the default. None: the
            whole catalog.
        api_key: What clients must send; `None` admits everyone.
        api_key_file: A text file with that key.
        no_key: Listen on other addresses than this machine's own without a key.
        allow_origins: Web origins whose pages may send requests, `*` for all.
        allow_hosts: Names, beside this machine's own, that a request's Host header may have; `*` for all.
        allow_image_hosts: Hosts of image URLs that may have private addresses.
        allow_private_image_hosts: Let image URLs lead to any address.
        queue: Images that may wait for their turn.
        max_body_bytes: Largest request, bytes.
        max_images: Most images in a request.
        log_json: Write the access log as JSON.
        wait_for_fast: Convert the served models before the server answers (`detrdesk serve`).
    """

    model_config = SettingsConfigDict(env_prefix="DETRDESK_", extra="ignore")

    model: str = "starter"
    device: str = "auto"
    runtime: Literal["auto", "torch", "openvino"] = "auto"
    max_pixels: int = Field(default=128_000_000, ge=1)
    max_file_bytes: int = Field(default=512 * 1024 * 1024, ge=1)
    max_fetch_bytes: int = Field(default=32 * 1024 * 1024, ge=1)
    fetch_seconds: float = Field(default=10.0, gt=0)
    loaded_models: int = Field(default=2, ge=1)
    hub_endpoint: str = ""

    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=0, le=65535)
    models: Words = ()
    api_key: SecretStr | None = None
    api_key_file: Path | None = None
    no_key: bool = False
    allow_origins: Words = ()
    allow_hosts: Words = ()
    allow_image_hosts: Words = ()
    allow_private_image_hosts: bool = False
    queue: int = Field(default=32, ge=1)
    max_body_bytes: int = Field(default=32 * 1024 * 1024, ge=1)
    max_images: int = Field(default=16, ge=1)
    log_json: bool = False
    wait_for_fast: bool = False

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """What is passed in, then the environment, then the file."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, config_file())


def config_file() -> Path:
    """Return the path of the settings file."""
    return config_dir() / "config.toml"


def load_settings() -> Settings:
    """Load the settings of this user and environment.

    Raises:
        EngineError: the file or a variable holds something that cannot be used; the message names it.
    """
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors()[0]
        setting = ".".join(str(part) for part in first["loc"])
        raise EngineError(
            "setting_invalid", "The setting {setting} cannot be used: {reason}.", setting=setting, reason=first["msg"]
        ) from error
    except (OSError, ValueError) as error:
        raise EngineError(
            "settings_unreadable", "The settings file config.toml cannot be read: {reason}.", reason=error
        ) from error
