"""Translations: the catalogue is complete and fits the code; the system's language chooses it."""

from __future__ import annotations

import re
import string
from collections.abc import Callable
from pathlib import Path

import pytest
from babel.messages import Catalog
from babel.messages.catalog import Message
from PyQt5.QtCore import QCoreApplication
from PyQt5.QtWidgets import (
    QAbstractButton,
    QApplication,
    QDialogButtonBox,
    QLabel,
    QTabWidget,
    QWidget,
)

from desktop.style.i18n import error_text, install_language, tr, tr_count
from engine.errors import ImageError, SourceError
from engine.paths import resource
from tests.desktop.conftest import Driver
from tests.desktop.fonts import why_cut
from tools.catalogues import LANGUAGES, extract, mo_bytes, po_path, read_catalogue, untranslated, updated

OpenWindow = Callable[..., Driver]

pytestmark = pytest.mark.usefixtures("english_again")

HAN, MARKS = "\u4e00-\u9fff", "，。；：、（）"


@pytest.fixture
def system_language(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Start with these environment variables in place of the language's own."""

    def choose(**variables: str) -> None:
        for name in ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
            monkeypatch.delenv(name, raising=False)
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        install_language()

    return choose


def translated(catalogue: Catalog) -> list[tuple[str, str]]:
    """Every English text with its translation, each form of a plural with the one English form it stands for."""
    pairs: list[tuple[str, str]] = []
    for message in catalogue:
        if isinstance(message.id, str):
            pairs += [(message.id, str(message.string))] if message.id else []
        else:
            pairs += [(message.id[-1], text) for text in message.string or ()]
    return pairs


def fields(text: str) -> dict[str, str]:
    return {name: spec or "" for _, name, spec, _ in string.Formatter().parse(text) if name is not None}


def sample_values(text: str) -> dict[str, object]:
    kinds: dict[str, object] = {"f": 0.25, ",": 1234, "": "值"}
    return {name: kinds[spec[-1:]] for name, spec in fields(text).items()}


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_catalogue_has_what_the_code_has_and_nothing_else(language: str) -> None:
    catalogue = read_catalogue(language)
    assert {message.id for message in catalogue if message.id} == set(extract()), "run tools/catalogues.py"
    assert not catalogue.obsolete
    assert not untranslated(catalogue)
    assert not any(message.fuzzy for message in catalogue if message.id)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_compiled_catalogue_is_the_written_one(language: str) -> None:
    compiled = po_path(language).with_suffix(".mo")
    assert compiled.read_bytes() == mo_bytes(updated(language)), "run tools/catalogues.py"
    assert compiled.is_relative_to(resource("locale").resolve())


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_header_has_no_dates_and_the_right_plural(language: str) -> None:
    assert "Date" not in po_path(language).read_text("utf-8")
    catalogue = read_catalogue(language)
    assert catalogue.num_plurals == 1
    plurals: list[Message] = [message for message in catalogue if message.pluralizable]
    assert plurals
    assert all(isinstance(message.string, tuple) and len(message.string) == 1 for message in plurals)


@pytest.mark.parametrize("language", LANGUAGES)
def test_translations_have_the_fields_of_the_english(language: str) -> None:
    for english, text in translated(read_catalogue(language)):
        assert fields(text) == fields(english), english
        values = sample_values(english)
        assert english.format(**values)
        assert text.format(**values)


def test_chinese_is_set_as_chinese() -> None:
    for english, text in translated(read_catalogue("zh_CN")):
        for wrong in (
            rf"[{HAN}][A-Za-z0-9{{]",
            rf"[A-Za-z0-9}}][{HAN}]",
            rf"[{HAN}] ?[,.;:!?()]",
            "！",
            rf" [{MARKS}]",
        ):
            assert not re.search(wrong, text), text
        assert text.endswith("。") == (english.endswith(".")), text
        assert text.encode("gb2312"), "every Chinese font has these"


def test_what_cannot_be_translated_is_found(tmp_path: Path) -> None:
    (tmp_path / "engine").mkdir()
    (tmp_path / "desktop").mkdir()
    code = tmp_path / "desktop" / "panel.py"
    code.write_text('text = tr("half " "and half")\nmore = tr(f"{text} glued")\n')
    with pytest.raises(ValueError, match=r"desktop/panel\.py:2"):
        extract(tmp_path)
    code.write_text('text = tr("half " "and half")\nmore = tr_count("one", "{count}", 3)\n')
    assert extract(tmp_path) == {"half and half": ["desktop/panel.py"], ("one", "{count}"): ["desktop/panel.py"]}


def test_the_ways_to_write_an_error_are_found(tmp_path: Path) -> None:
    (tmp_path / "engine").mkdir()
    (tmp_path / "desktop").mkdir()
    (tmp_path / "engine" / "errors.py").write_text(
        "class EngineError(Exception):\n"
        "    def __init__(self, code, template): super().__init__(template)\n"
        "class Odd(EngineError):\n"
        "    def __init__(self): super().__init__('odd', 'in super')\n"
        "def first(long):\n"
        "    message = 'long' if long else 'short'\n"
        "    raise Odd('code', message)\n"
        "def second(kind: type[EngineError]): return kind('code', 'by kind')\n"
        "def third(place, reason): return Odd('code', 'because {reason}', reason=reason)\n"
        "third(1, 'no power')\n"
        "third(2, f'{x} is odd')\n"
    )
    assert set(extract(tmp_path)) == {"in super", "long", "short", "by kind", "because {reason}", "no power"}


def test_errors_are_translated_with_their_values() -> None:
    error = ImageError(
        "too_many_pixels", "The image has more than {limit} megapixels; scale it down first.", limit="128"
    )
    install_language("zh_CN")
    assert error_text(error) == "图片超过 128 百万像素，请先缩小尺寸。"
    assert error.message.startswith("The image has more than 128")


def test_a_reason_inside_an_error_is_translated_where_it_is_known() -> None:
    template = "{host} did not send the image ({reason}); check the address and try again."
    install_language("zh_CN")
    known = SourceError("fetch_failed", template, host="a.test", reason="no connection")
    assert error_text(known) == "未能从 a.test 获取图片（无法连接）；请检查网址后重试。"
    unknown = SourceError("fetch_failed", template, host="a.test", reason="{odd} words")
    assert error_text(unknown) == "未能从 a.test 获取图片（{odd} words）；请检查网址后重试。"


def test_numbers_choose_the_form() -> None:
    install_language("en")
    assert tr_count("{count} image", "{count} images", 1) == "1 image"
    assert tr_count("{count} image", "{count} images", 2) == "2 images"
    install_language("zh_CN")
    assert tr_count("{count} image", "{count} images", 1) == "1 张图片"
    assert tr_count("{count} image", "{count} images", 2) == "2 张图片"


@pytest.mark.parametrize(
    "variables",
    [
        {"LANGUAGE": "zh_CN"},
        {"LANG": "zh_CN.UTF-8"},
        {"LANG": "zh_CN.GB18030"},
        {"LANG": "zh"},
        {"LANG": "zh_SG.UTF-8"},
        {"LC_ALL": "zh_CN.UTF-8", "LANG": "en_US.UTF-8"},
        {"LC_MESSAGES": "zh_CN.UTF-8", "LANG": "en_US.UTF-8"},
        {"LANGUAGE": "zh_Hans"},
        {"LANGUAGE": "zh-Hans-CN"},
        {"LANGUAGE": "zh_Hans_HK"},
        {"LANGUAGE": "fr:zh_CN:en"},
        {"LANGUAGE": "zh_TW:zh_CN"},
    ],
)
def test_chinese_is_chosen(system_language: Callable[..., None], variables: dict[str, str]) -> None:
    system_language(**variables)
    assert tr("Threshold") == "阈值"


@pytest.mark.parametrize(
    "variables",
    [
        {"LANG": "C.UTF-8"},
        {"LANG": "de_DE.UTF-8"},
        {"LANG": "xx"},
        {"LANG": "zh_TW.UTF-8"},
        {"LANG": "zh_HK.UTF-8"},
        {"LANGUAGE": "zh_Hant"},
        {"LANGUAGE": "zh_TW:zh"},
        {"LANGUAGE": "en_GB:zh_CN"},
        {"LANGUAGE": "en", "LANG": "zh_CN.UTF-8"},
        {"LANGUAGE": ":../../etc:"},
    ],
)
def test_english_is_what_remains(system_language: Callable[..., None], variables: dict[str, str]) -> None:
    system_language(**variables)
    assert tr("Threshold") == "Threshold"


def test_qt_speaks_the_same_language(qapp: QApplication) -> None:
    for language, close in (("zh_CN", "关闭"), ("zh_CN", "关闭"), ("en", "Close"), ("zh_TW", "Close")):
        install_language(language)
        box = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        assert box.button(QDialogButtonBox.StandardButton.Close).text().replace("&", "") == close
    install_language("zh_CN")
    assert QCoreApplication.translate("QFileDialog", "Look in:") == "查找范围："


@pytest.fixture
def chinese(open_window: OpenWindow, monkeypatch: pytest.MonkeyPatch, image_file: Path) -> Driver:
    """A Chinese window of the smallest size that is designed for, its image detected in."""
    monkeypatch.setenv("LANGUAGE", "zh_CN")
    driver = open_window(image_file)
    driver.window.resize(1280, 720)
    driver.wait_detected(image_file.name)
    driver.qtbot.wait(50)
    return driver


def test_the_window_is_chinese(chinese: Driver) -> None:
    labels, buttons = chinese.window.findChildren(QLabel), chinese.window.findChildren(QAbstractButton)
    texts = {label.text() for label in labels} | {button.text() for button in buttons}
    assert {"模型", "阈值", "前 k 个", "检测", "取消", "导出", "打开", "粘贴"} <= texts
    tabs = chinese.window.findChild(QTabWidget)
    assert tabs is not None
    assert [tabs.tabText(at) for at in range(tabs.count())][:2] == ["检测结果", "JSON"]
    assert any("个 token（本次会话 " in text for text in texts)


def test_nothing_above_the_threshold_is_one_chinese_sentence(chinese: Driver) -> None:
    chinese.window.viewer.choosing.set_threshold(0.99)
    texts = [label.text() for label in chinese.window.panels.detections.findChildren(QLabel) if label.isVisible()]
    assert any(re.fullmatch(r"没有置信度高于 0\.99 的检测结果，另有 \d+ 个在阈值以下。", text) for text in texts)
    assert any(re.fullmatch(r"tiny-detr 可检测：[^, ]+、.+。", text) for text in texts)


@pytest.mark.parametrize("state", ["detected", "nothing above", "message", "json"])
def test_nothing_is_cut(chinese: Driver, state: str, tmp_path: Path) -> None:
    if state == "nothing above":
        chinese.window.viewer.choosing.set_threshold(0.99)
    elif state == "message":
        chinese.window.viewer.browsing.open([tmp_path / ("没有这张图片" * 12 + ".jpg")])
        chinese.wait_told("找不到文件")
    elif state == "json":
        tabs = chinese.window.findChild(QTabWidget)
        assert tabs is not None
        tabs.setCurrentIndex(1)
    chinese.qtbot.wait(50)
    assert (chinese.window.width(), chinese.window.height()) == (1280, 720)
    shown = [each for each in chinese.window.findChildren(QWidget) if each.isVisible()]
    assert [cut for widget in shown if (cut := why_cut(widget))] == []


def test_the_welcome_is_not_cut(open_window: OpenWindow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANGUAGE", "zh_CN")
    driver = open_window()
    driver.window.resize(1280, 720)
    driver.qtbot.wait(50)
    shown = [each for each in driver.window.findChildren(QWidget) if each.isVisible()]
    assert any(isinstance(each, QLabel) and each.text().startswith("拖入图片") for each in shown)
    assert [cut for widget in shown if (cut := why_cut(widget))] == []
