"""The key list: searching, changing, taking over and resetting keys."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PyQt5.QtCore import Qt
from PyQt5.QtGui import QKeySequence
from PyQt5.QtWidgets import QMainWindow, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from desktop.keys.list import KeyList, group_title
from desktop.keys.map import acts_on_image_only, given, remapped, user_of, usual_again
from desktop.settings.preferences import PreferenceStore
from desktop.state.preferences import Preferences
from desktop.state.viewer import Stage, ViewerState, waiting
from desktop.style.actions import ActionSpec, Group, enable, make_action, set_keys


def spec(name: str, *keys: str, on_image: bool = False, group: Group = Group.VIEW) -> ActionSpec:
    return ActionSpec(name, name.capitalize(), keys, lambda: None, on_image=on_image, group=group)


SPECS = (
    spec("open", "Ctrl+O", group=Group.FILES),
    spec("next", "D", on_image=True, group=Group.IMAGE),
    spec("fit", "Ctrl+F"),
    spec("reject", "X", "Delete", on_image=True, group=Group.DECIDING),
    spec("samples", group=Group.FILES),
)


def keys_after(chosen: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    return {spec.name: spec.keys for spec in remapped(SPECS, chosen)}


def test_chosen_keys_stand_in_for_the_usual_ones() -> None:
    after = keys_after({"open": ("Ctrl+P", "F3"), "fit": (), "of another version": ("Q",)})
    assert after == {"open": ("Ctrl+P", "F3"), "fit": (), "next": ("D",), "reject": ("X", "Delete"), "samples": ()}


def test_a_usual_key_gives_way_to_a_chosen_one() -> None:
    assert keys_after({"samples": ("X", "D")}) == {
        "open": ("Ctrl+O",),
        "fit": ("Ctrl+F",),
        "next": (),
        "reject": ("Delete",),
        "samples": ("X", "D"),
    }


def test_no_two_actions_have_a_key_whatever_the_file_says() -> None:
    after = keys_after({"open": ("K", "nonsense", ""), "next": ("K", "Ctrl+K"), "fit": ("Ctrl+K, Ctrl+S",)})
    assert after == {
        "open": ("K",),
        "next": ("Ctrl+K",),
        "fit": (),
        "reject": ("X", "Delete"),
        "samples": (),
    }


@pytest.mark.parametrize("key", ["D", "Shift+D", "Space", "Return", "[", "Del", "Left", "Meta+D"])
def test_keys_that_fields_and_buttons_need_act_on_the_image_only(key: str) -> None:
    assert acts_on_image_only(key)
    assert {each.name: each.on_image for each in remapped(SPECS, {"fit": ("Ctrl+J", key)})}["fit"]


@pytest.mark.parametrize("key", ["Ctrl+D", "Alt+D", "F5", "Shift+F5", "Ctrl+Shift+["])
def test_other_keys_act_in_the_whole_window(key: str) -> None:
    assert not acts_on_image_only(key)
    assert not {each.name: each.on_image for each in remapped(SPECS, {"fit": (key,)})}["fit"]


@pytest.mark.parametrize(("key", "user"), [("Ctrl+O", "open"), ("Ctrl+O, Ctrl+P", "open"), ("Delete", "reject")])
def test_the_user_of_a_key_is_found(key: str, user: str) -> None:
    found = user_of(key, SPECS)
    assert found is not None
    assert found.name == user
    assert user_of(key, SPECS, beside=user) is None


def test_a_key_is_taken_over_and_given_back() -> None:
    taken = given(SPECS, {}, "next", ("D", "X"))
    assert taken == {"next": ("D", "X"), "reject": ("Delete",)}
    assert usual_again(SPECS, taken, "next") == {"reject": ("Delete",)}
    assert usual_again(SPECS, taken, "reject") == {}
    assert given(SPECS, {"of another version": ("Q",)}, "fit", ("Ctrl+F",)) == {"of another version": ("Q",)}


def test_an_action_follows_its_keys(qtbot: QtBot) -> None:
    window, image = QMainWindow(), QPushButton()
    window.setCentralWidget(image)
    qtbot.addWidget(window)
    done: list[str] = []
    fit = ActionSpec("fit", "Fit", ("Ctrl+F",), lambda: done.append("fit"))
    action = make_action(fit, window)
    for widget in (window, image):
        widget.addAction(action)
    with qtbot.waitActive(window):
        window.show()
        window.activateWindow()
    image.setFocus()
    set_keys(action, remapped([fit], {"fit": ("G",)})[0])
    qtbot.keyClick(image, Qt.Key.Key_F, Qt.KeyboardModifier.ControlModifier)
    assert done == []
    qtbot.keyClick(image, Qt.Key.Key_G)
    assert done == ["fit"]
    assert action.shortcutContext() == Qt.ShortcutContext.WidgetShortcut
    set_keys(action, fit)
    qtbot.keyClick(image, Qt.Key.Key_F, Qt.KeyboardModifier.ControlModifier)
    assert done == ["fit", "fit"]
    assert action.shortcutContext() == Qt.ShortcutContext.WindowShortcut


def test_actions_can_be_chosen_where_they_make_sense(qtbot: QtBot) -> None:
    window = QMainWindow()
    qtbot.addWidget(window)
    specs = (
        ActionSpec("cancel", "Cancel", (), lambda: None, enabled=lambda state: state.stage is not None),
        ActionSpec("quit", "Quit", (), lambda: None),
    )
    actions = {each.name: make_action(each, window) for each in specs}
    enable(actions, specs, ViewerState())
    assert [action.isEnabled() for action in actions.values()] == [False, True]
    enable(actions, specs, waiting(ViewerState(), Stage.OPENING))
    assert [action.isEnabled() for action in actions.values()] == [True, True]


@pytest.fixture
def store() -> PreferenceStore:
    return PreferenceStore()


@pytest.fixture
def dialog(qtbot: QtBot, store: PreferenceStore) -> KeyList:
    dialog = KeyList(SPECS, store.value)
    dialog.keys_changed.connect(lambda keys: store.change(keys=keys))
    store.changed.connect(dialog.show_preferences)
    qtbot.addWidget(dialog)
    with qtbot.waitActive(dialog):
        dialog.show()
        dialog.activateWindow()
    return dialog


def rows(dialog: KeyList) -> dict[str, dict[str, str]]:
    """Visible actions with their keys, by group."""
    found: dict[str, dict[str, str]] = {}
    for heading in map(dialog.tree.topLevelItem, range(dialog.tree.topLevelItemCount())):
        items = map(heading.child, range(heading.childCount()))
        found[heading.text(0)] = {item.text(0): item.text(1) for item in items if not item.isHidden()}
        assert heading.isHidden() == (not found[heading.text(0)])
    return {title: items for title, items in found.items() if items}


def button(dialog: KeyList, name: str) -> QPushButton:
    found = dialog.findChild(QPushButton, name)
    assert found is not None
    return found


def test_every_action_is_listed_in_its_group(dialog: KeyList) -> None:
    assert rows(dialog) == {
        "Files": {"Open": "Ctrl+O", "Samples": ""},
        "Image": {"Next": "D"},
        "Deciding": {"Reject": "X   Del"},
        "View": {"Fit": "Ctrl+F"},
    }
    assert len({group_title(group) for group in Group}) == len(Group)


@pytest.mark.parametrize(
    ("words", "left"),
    [
        ("eje", {"Deciding": {"Reject": "X   Del"}}),
        ("ctrl o", {"Files": {"Open": "Ctrl+O"}}),
        ("delete", {"Deciding": {"Reject": "X   Del"}}),
        ("no such thing", {}),
    ],
)
def test_a_word_or_a_key_finds_actions(dialog: KeyList, qtbot: QtBot, words: str, left: object) -> None:
    qtbot.keyClicks(dialog.search, words)
    assert rows(dialog) == left
    dialog.search.clear()
    assert sum(map(len, rows(dialog).values())) == len(SPECS)


def test_a_key_is_changed_by_keyboard_alone(
    dialog: KeyList, qtbot: QtBot, store: PreferenceStore, focused: Callable[[], QWidget]
) -> None:
    qtbot.keyClicks(focused(), "fit")
    qtbot.keyClick(focused(), Qt.Key.Key_Down)
    assert dialog.chosen_name == "fit"
    qtbot.keyClick(focused(), Qt.Key.Key_Return)
    qtbot.keyClick(focused(), Qt.Key.Key_J, Qt.KeyboardModifier.ControlModifier)
    qtbot.keyClick(focused(), Qt.Key.Key_Tab)
    qtbot.keyClick(focused(), Qt.Key.Key_Space)
    assert dialog.isVisible()
    assert store.value.keys == {"fit": ("Ctrl+J",)}
    assert rows(dialog) == {"View": {"Fit": "Ctrl+J"}}


@pytest.fixture
def focused(dialog: KeyList) -> Callable[[], QWidget]:
    def widget() -> QWidget:
        found = dialog.focusWidget()
        assert found is not None
        return found

    return widget


def test_a_key_that_is_taken_says_by_whom_and_is_taken_over(
    dialog: KeyList, qtbot: QtBot, store: PreferenceStore
) -> None:
    dialog.choose("next")
    qtbot.keyClick(dialog.editor.field, Qt.Key.Key_X)
    assert "“Reject”" in dialog.editor.note.text()
    assert button(dialog, "useKey").text() == "Take it over"
    assert store.value.keys == {}
    button(dialog, "addKey").click()
    assert store.value.keys == {"next": ("D", "X"), "reject": ("Delete",)}
    assert rows(dialog)["Image"] == {"Next": "D   X"}


def test_keys_become_usual_again_one_by_one_or_all(dialog: KeyList, store: PreferenceStore) -> None:
    store.change(keys={"next": ("N",), "fit": ("Ctrl+J",), "open": ("Ctrl+P",)})
    dialog.choose("samples")
    assert not button(dialog, "usualKeys").isEnabled()
    dialog.choose("next")
    button(dialog, "usualKeys").click()
    assert store.value.keys == {"fit": ("Ctrl+J",), "open": ("Ctrl+P",)}
    button(dialog, "allUsualKeys").click()
    assert store.value.keys == {}
    assert rows(dialog)["View"] == {"Fit": "Ctrl+F"}


def test_a_bare_letter_for_a_window_wide_action_says_where_it_acts(dialog: KeyList, qtbot: QtBot) -> None:
    dialog.choose("fit")
    qtbot.keyClick(dialog.editor.field, Qt.Key.Key_G)
    assert "only while the image" in dialog.editor.note.text()
    dialog.choose("next")
    qtbot.keyClick(dialog.editor.field, Qt.Key.Key_G)
    assert dialog.editor.note.text() == ""
    qtbot.keyClick(dialog.editor.field, Qt.Key.Key_D)
    assert not button(dialog, "useKey").isEnabled()


@pytest.mark.parametrize(
    ("key", "modifiers", "text"),
    [
        (Qt.Key.Key_D, Qt.KeyboardModifier.ShiftModifier, "Shift+D"),
        (Qt.Key.Key_Delete, Qt.KeyboardModifier.NoModifier, "Del"),
        (Qt.Key.Key_F5, Qt.KeyboardModifier.ControlModifier, "Ctrl+F5"),
        (Qt.Key.Key_Return, Qt.KeyboardModifier.NoModifier, "Return"),
        (Qt.Key.Key_5, Qt.KeyboardModifier.KeypadModifier, "5"),
    ],
)
def test_the_field_names_the_key(
    dialog: KeyList, qtbot: QtBot, key: Qt.Key, modifiers: Qt.KeyboardModifier, text: str
) -> None:
    dialog.choose("next")
    qtbot.keyClick(dialog.editor.field, key, modifiers)
    assert dialog.editor.field.key == text
    assert QKeySequence(text).toString() == text


def test_tab_and_escape_leave_the_field(dialog: KeyList, qtbot: QtBot, focused: Callable[[], QWidget]) -> None:
    dialog.choose("next")
    dialog.editor.field.setFocus()
    qtbot.keyClick(dialog.editor.field, Qt.Key.Key_Shift, Qt.KeyboardModifier.ShiftModifier)
    assert dialog.editor.field.key == ""
    qtbot.keyClick(dialog.editor.field, Qt.Key.Key_Tab)
    assert focused() is not dialog.editor.field
    qtbot.keyClick(dialog.editor.field, Qt.Key.Key_Escape)
    assert not dialog.isVisible()


def test_it_opens_beside_the_window(qtbot: QtBot) -> None:
    window = QMainWindow()
    qtbot.addWidget(window)
    dialog = KeyList(SPECS, Preferences(), window)
    dialog.show()
    assert dialog.isVisible()
    assert not dialog.isModal()
    assert all(child.accessibleName() for child in dialog.findChildren(QWidget) if child.objectName() == "keyField")
