"""What the README tells people to type works."""

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

README = (PROJECT / "README.md").read_text("utf-8")
SHELL = [line for block in re.findall(r"```sh\n(.*?)```", README, re.S) for line in block.splitlines()]
DETECT = [line for line in SHELL if line.startswith("detrdesk detect")]
OTHERS = [
    line
    for line in SHELL
    if line.startswith(("detrdesk models", "detrdesk bench", "detrdesk doctor"))
    and not line.startswith(("detrdesk models add", "detrdesk models download"))  # a folder of the reader's, a network
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the commands run: a place with the project's samples."""
    shutil.copytree(PROJECT / "resources" / "samples", tmp_path / "resources" / "samples")
    return tmp_path


def run(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(PROJECT)}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=100)


def test_every_line_is_of_a_known_kind() -> None:
    known = ("make ", "detrdesk", "python -m pip install ")
    assert [line for line in SHELL if not line.startswith(known)] == []
    assert len(DETECT) >= 3


@pytest.mark.parametrize("line", [*DETECT, *OTHERS])
def test_lines_of_the_command_run(line: str, folder: Path) -> None:
    done = run([sys.executable, "-m", "desktop", *shlex.split(line)[1:]], folder)
    assert done.returncode == 0, done.stderr
    assert done.stdout


@pytest.mark.parametrize("line", [line for line in SHELL if line.startswith("make ")])
def test_make_targets_exist(line: str) -> None:
    done = subprocess.run(["make", "--dry-run", *line.split()[1:]], cwd=PROJECT, capture_output=True, timeout=20)
    assert done.returncode == 0, done.stderr


def test_the_python_example_runs(folder: Path) -> None:
    examples = re.findall(r"```python\n(.*?)```", README, re.S)
    assert examples
    for example in examples:
        done = run([sys.executable, "-c", example], folder)
        assert done.returncode == 0, done.stderr
        assert done.stdout.split()[0] in Engine().recipe("starter").names.values()


def test_links_and_pictures_are_there() -> None:
    targets = re.findall(r"\]\(([^)#]+)\)", README)
    assert [target for target in targets if "://" not in target and not (PROJECT / target).exists()] == []


def test_the_table_of_settings_is_complete() -> None:
    from engine.settings import Settings

    documented = set(re.findall(r"^\| `([a-z_]+)` \|", README, re.M))
    assert documented == set(Settings.model_fields)
