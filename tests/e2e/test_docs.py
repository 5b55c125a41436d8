"""Commands, examples, links and tables of README.md, CONTRIBUTING.md and docs/."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from engine import Engine
from tests.conftest import PROJECT

GUIDES = [PROJECT / "README.md", PROJECT / "CONTRIBUTING.md", *sorted((PROJECT / "docs").glob("*.md"))]
"""Pages for readers, without the decision records."""

PAGES = [*GUIDES, PROJECT / "CHANGELOG.md", *sorted((PROJECT / "docs" / "decisions").glob("*.md"))]
BLOCKS = [block for page in GUIDES for block in re.findall(r"```sh\n(.*?)```", page.read_text("utf-8"), re.DOTALL)]
SHELL = list(dict.fromkeys(line for block in BLOCKS for line in block.splitlines()))
DETECT = [line for line in SHELL if line.startswith("detrdesk detect")]
OTHERS = [
    line
    for line in SHELL
    if line.startswith(("detrdesk models", "detrdesk bench", "detrdesk doctor"))
    and not line.startswith(("detrdesk models add", "detrdesk models download"))  # need a reader's folder, a network
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the commands run: a place with the project's samples."""
    shutil.copytree(PROJECT / "resources" / "samples", tmp_path / "resources" / "samples")
    return tmp_path


def run(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a command in `folder`, with the project on the path."""
    environment = {**os.environ, "PYTHONPATH": str(PROJECT)}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=100)


def test_every_line_is_of_a_known_kind() -> None:
    known = ("make ", "detrdesk", "python -m pip install ", ".venv/bin/")
    assert [line for line in SHELL if not line.startswith(known)] == []
    assert len(DETECT) >= 5
    assert len(OTHERS) >= 4


@pytest.mark.parametrize("line", [*DETECT, *OTHERS])
def test_commands_run(line: str, folder: Path) -> None:
    done = run([sys.executable, "-m", "desktop", *shlex.split(line)[1:]], folder)
    assert done.returncode == 0, done.stderr
    assert done.stdout


@pytest.mark.parametrize("line", [line for line in SHELL if line.startswith("make ")])
def test_make_targets_exist(line: str) -> None:
    done = subprocess.run(["make", "--dry-run", *line.split()[1:]], cwd=PROJECT, capture_output=True, timeout=20)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("line", [line for line in SHELL if line.startswith(".venv/bin/")])
def test_files_of_the_checks_exist(line: str) -> None:
    assert [name for name in line.split() if name.startswith("tests/") and not (PROJECT / name).exists()] == []


def test_the_python_example_runs(folder: Path) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", (PROJECT / "README.md").read_text("utf-8"), re.DOTALL)
    done = run([sys.executable, "-c", example], folder)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[0] in Engine().recipe("starter").names.values()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_and_pictures_exist(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#]+)", page.read_text("utf-8"))
    assert [target for target in targets if "://" not in target and not (page.parent / target).exists()] == []


@pytest.mark.parametrize("page", [*GUIDES, PROJECT / "docs" / "decisions"], ids=lambda page: page.name)
def test_files_that_are_named_exist(page: Path) -> None:
    texts = [page.read_text("utf-8")] if page.is_file() else [each.read_text("utf-8") for each in page.glob("*.md")]
    named = {name for text in texts for name in re.findall(r"`((?:engine|desktop|tests|tools|docs)/[\w./-]+)`", text)}
    assert sorted(name for name in named if not (PROJECT / name).exists()) == []


def test_every_page_is_reached_from_the_readme() -> None:
    readme = (PROJECT / "README.md").read_text("utf-8")
    assert [page.name for page in GUIDES[1:] if f"{page.relative_to(PROJECT).as_posix()})" not in readme] == []


def test_the_tables_of_settings_are_complete() -> None:
    from engine.settings import Settings

    page = (PROJECT / "docs" / "settings.md").read_text("utf-8")
    assert set(re.findall(r"^\| `([a-z_]+)` \|", page, re.M)) == set(Settings.model_fields)
