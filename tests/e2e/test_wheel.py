"""The wheel carries everything: installed elsewhere, it detects."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

from tests.conftest import PROJECT


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
    return next(folder.glob("*.whl"))


def test_it_holds_the_resources_and_no_tools_or_tests(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    for part in ("starter/model.safetensors", "samples/parcels.jpg", "icons/detrdesk.svg", "style/detrdesk.qss"):
        assert f"engine/resources/{part}" in names
    assert {name.split("/")[0].split("-")[0] for name in names} == {"engine", "desktop", "detrdesk"}


def test_installed_into_an_environment_of_its_own_it_detects(wheel: Path, tmp_path: Path) -> None:
    """The environment is empty but for the dependencies, which it borrows from ours: torch is too large to copy."""
    home = tmp_path / "environment"
    venv.create(home, with_pip=False)
    programs = home / ("Scripts" if os.name == "nt" else "bin")
    install = ["install", "--no-deps", "--no-index", "--disable-pip-version-check", str(wheel)]
    subprocess.run([sys.executable, "-m", "pip", "--python", str(programs / "python"), *install], check=True)
    site = next(home.rglob("site-packages"))
    (site / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n", "utf-8")
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [programs / "detrdesk", "detect", site / "engine/resources/samples/parcels.jpg", "--json", "a.json", "--quiet"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    answer = json.loads((tmp_path / "a.json").read_text("utf-8"))
    assert answer["model"] == "starter"
    assert answer["predictions"][0]["result"]
