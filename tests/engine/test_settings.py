"""Where settings come from, and what is said of those that cannot be used."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.errors import EngineError
from engine.settings import Settings, config_file, load_settings


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The settings file of a user who has none yet."""
    monkeypatch.setenv("DETRDESK_HOME", str(tmp_path))
    for name in ("DETRDESK_DEVICE", "DETRDESK_MODEL", "DETRDESK_RUNTIME"):
        monkeypatch.delenv(name, raising=False)
    path = config_file()
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def test_what_is_passed_in_wins_over_the_environment_and_that_over_the_file(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert load_settings() == Settings.model_construct()
    file.write_text("port = 1\nqueue = 1\nloaded_models = 1\n", "utf-8")
    monkeypatch.setenv("DETRDESK_PORT", "2")
    monkeypatch.setenv("DETRDESK_QUEUE", "2")
    settings = Settings(port=3)
    assert (settings.port, settings.queue, settings.loaded_models) == (3, 2, 1)


def test_the_names_of_variables_have_any_case(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("detrdesk_Port", "7")
    assert load_settings().port == 7


@pytest.mark.parametrize("given", ["a, b\tc", "a b c", "a,b,c"])
def test_a_list_is_words_in_the_environment_and_either_in_the_file(
    file: Path, monkeypatch: pytest.MonkeyPatch, given: str
) -> None:
    file.write_text(f'models = ["a", "b"]\nallow_hosts = "{given}"\n'.replace("\t", "\\t"), "utf-8")
    monkeypatch.setenv("DETRDESK_ALLOW_ORIGINS", given)
    settings = load_settings()
    assert (settings.models, settings.allow_hosts, settings.allow_origins) == (("a", "b"), *[("a", "b", "c")] * 2)


def test_the_tables_of_the_window_and_unknown_names_are_no_matter(file: Path) -> None:
    file.write_text("colour = 'red'\nself = 1\nport = 9\n[window]\nscheme = 'dark'\n", "utf-8")
    assert load_settings().port == 9


@pytest.mark.parametrize(
    ("text", "code", "told"),
    [
        ("port = 70000", "setting_invalid", "The setting port cannot be used: "),
        ("models = [1]", "setting_invalid", "The setting models.0 cannot be used: "),
        ("port = ", "settings_unreadable", "The settings file config.toml cannot be read: "),
        ("device = '\xff'", "settings_unreadable", "The settings file config.toml cannot be read: "),
    ],
)
def test_what_cannot_be_used_is_named(file: Path, text: str, code: str, told: str) -> None:
    file.write_bytes(text.encode("latin-1"))
    with pytest.raises(EngineError) as caught:
        load_settings()
    assert caught.value.code == code
    assert caught.value.message.startswith(told)
