"""The command line, run as a user runs it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from engine.cli import main as cli
from engine.cli.exit_codes import DONE, NOBODY_READS, SOME_FAILED, USAGE
from tests.children import PROJECT

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(tiny_detr: Path, tmp_path: Path) -> Run:
    """Run `detrdesk` with the tiny model as the default one."""

    def run_detrdesk(*arguments: object) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "DETRDESK_MODEL": str(tiny_detr), "PYTHONPATH": str(PROJECT), "DISPLAY": ""}
        environment.pop("WAYLAND_DISPLAY", None)
        environment["QT_QPA_PLATFORM"] = ""
        command = [sys.executable, "-m", "desktop", *map(str, arguments)]
        return subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=100)

    return run_detrdesk


@pytest.fixture
def in_process(tiny_detr: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DETRDESK_MODEL", str(tiny_detr))


@pytest.mark.alone
def test_help_is_quick_and_imports_nothing_heavy() -> None:
    """`--help` answers in under 0.5 s; the best of three, for the machine may be busy."""
    code = (
        "import sys; from desktop.__main__ import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "print(sorted({'torch', 'transformers', 'numpy', 'PIL', 'PyQt5', 'pydantic'} & set(sys.modules)))"
    )
    times = []
    for _ in range(3):
        started = time.perf_counter()
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        times.append(time.perf_counter() - started)
    assert done.stdout.rstrip().endswith("[]")
    assert "detrdesk detect" in done.stdout
    assert min(times) < 0.5


def test_json_on_standard_output_is_nothing_but_the_answer(run: Run, image_file: Path) -> None:
    done = run("detect", image_file, "--json", "-", "--threshold", "0.1", "--top-k", "3")
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["object"] == "detection"
    assert answer["top_k"] == 3
    assert len(answer["predictions"][0]["result"]) == 3
    assert answer["predictions"][0]["tokens"] == 98


def test_one_image_writes_json_and_picture_and_prints_the_table(run: Run, image_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "结果.png"
    done = run("detect", image_file, "--image-out", out, "--json", tmp_path / "a.json", "--threshold", "0.1")
    assert done.returncode == 0, done.stderr
    assert "快递 1.jpg  320 x 240" in done.stdout
    assert str(out) in done.stdout
    with Image.open(out) as drawn:
        assert drawn.size == (320, 240)
    assert "source" not in json.loads((tmp_path / "a.json").read_text("utf-8"))


def test_without_a_display_the_window_becomes_files(run: Run, image_file: Path, tmp_path: Path) -> None:
    done = run(image_file)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0].startswith("There is no display (DISPLAY is not set)")
    written = tmp_path / "detrdesk-output"
    assert sorted(path.name for path in written.iterdir()) == ["detections.json", "快递 1_detections.png"]
    assert "detections.json" in done.stdout
    assert "快递 1_detections.png" in done.stdout


@pytest.mark.usefixtures("in_process")
def test_several_sources_give_an_array_in_order_with_the_failed_in_their_place(
    image_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = tmp_path / "b.jpg"
    broken.write_text("<html>")
    sources = [str(image_file), str(broken), str(tmp_path / "gone.png"), "data:nonsense", str(image_file)]
    out = tmp_path / "out"
    code = cli.main(["detect", *sources, "--json", "-", "--image-out", str(out)])
    printed = capsys.readouterr()
    assert code == SOME_FAILED
    answers = json.loads(printed.out)
    assert [answer["source"] for answer in answers] == sources
    assert ["error" in answer for answer in answers] == [False, True, True, True, False]
    assert answers[1]["error"]["code"] == "not_an_image"
    assert "gone.png" in printed.err
    assert sorted(path.name for path in out.iterdir()) == ["快递 1_detections.png", "快递 1_detections_2.png"]


@pytest.mark.usefixtures("in_process")
def test_a_folder_gives_an_array_even_with_one_image(image_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["detect", str(image_file.parent), "--json", "-"]) == DONE
    assert len(json.loads(capsys.readouterr().out)) == 1


@pytest.mark.usefixtures("in_process")
def test_quiet_prints_nothing(image_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["detect", str(image_file), "--quiet"]) == DONE
    assert capsys.readouterr().out == ""


@pytest.mark.usefixtures("in_process")
def test_nothing_found_says_how_near_it_was(image_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["detect", str(image_file), "--threshold", "1"]) == DONE
    assert "nothing above 1.00, the best score is 0." in capsys.readouterr().out


@pytest.mark.usefixtures("in_process")
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--model", "nothing-here"], "There is no model nothing-here"),
        (["--device", "cuda:7"], "The device cuda:7 is not available here"),
    ],
)
def test_a_wrong_model_or_device_is_usage(
    image_file: Path, arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["detect", str(image_file), *arguments]) == USAGE
    assert words in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [[], ["detect"], ["detect", "a.jpg", "--threshold", "2"], ["detect", "a.jpg", "--threshold", "nan"]]
    + [["detect", "a.jpg", "--top-k", "0"], ["detect", "a.jpg", "--threshold", "x"], ["detect", "a.jpg", "--nope"]],
    ids=str,
)
def test_wrong_usage_ends_with_two(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    try:
        code: object = cli.main(arguments)
    except SystemExit as end:
        code = end.code
    assert code == USAGE
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "usage" in printed.err


@pytest.mark.usefixtures("in_process")
def test_an_empty_folder_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty").mkdir()
    assert cli.main(["detect", str(tmp_path / "empty")]) == USAGE
    assert "no images" in capsys.readouterr().err


def test_the_doctor_names_versions_devices_and_folders(run: Run) -> None:
    done = run("doctor")
    for word in ("PyQt5", "torch", "transformers", "devices", "cpu", "cache folder", "starter model", "display"):
        assert word in done.stdout


@pytest.mark.skipif(os.name != "posix", reason="the command runs in a shell")
def test_it_ends_quietly_when_nobody_reads_any_more(image_file: Path, tiny_detr: Path, tmp_path: Path) -> None:
    environment = {**os.environ, "DETRDESK_MODEL": str(tiny_detr), "PYTHONPATH": str(PROJECT)}
    detect = f'"{sys.executable}" -m desktop detect "{image_file}" "{image_file}" --threshold 0'
    command = f"{{ {detect}; echo $? >&2; }} | head -n 1"
    done = subprocess.run(
        command, shell=True, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=100
    )
    assert done.stdout.startswith(image_file.name)
    assert "Traceback" not in done.stderr
    assert "BrokenPipe" not in done.stderr
    assert done.stderr.split()[-1] in {"0", "141"}


def test_nobody_reads(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def run(*_: object) -> int:
        raise BrokenPipeError

    monkeypatch.setattr(cli, "_run", run)
    with (tmp_path / "out").open("w") as out:
        monkeypatch.setattr(sys, "stdout", out)
        assert cli.main(["doctor"]) == NOBODY_READS
        print("nobody reads this")
    assert (tmp_path / "out").read_text() == ""
