"""Conversion for OpenVINO by `detrdesk models add`, `download` and `convert`."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine.cli import main as cli
from engine.cli.exit_codes import DONE, INTERRUPTED, SOME_FAILED, USAGE
from engine.cli.progress_line import ProgressLine
from engine.inference.conversion_jobs import ConversionJobs
from engine.models.catalog.catalog import Catalog
from engine.models.converted import Converted
from engine.models.fingerprint import fingerprint
from tests.children import PROJECT
from tests.engine.inference.conversion import converting_by, starts_no_helper, user_store
from tests.hub_server import bottles, hub_server
from tests.onnx_files import write_finished

Progress = Callable[[str, int, int], None]
IMPOSSIBLE = {"impossible": "it has no layers"}


@pytest.fixture(autouse=True)
def openvino_executes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The settings of a user without a GPU."""
    monkeypatch.setenv("DETRDESK_RUNTIME", "auto")
    monkeypatch.setenv("DETRDESK_DEVICE", "cpu")


def models(*arguments: object) -> int:
    return cli.main(["models", *map(str, arguments)])


def succeed(module: str, folder: Path, work: Path, in_haste: bool, progress: Progress, *_: object) -> dict[str, Any]:
    """Write two files in place of a conversion."""
    assert in_haste
    progress("converting", 1, 2)
    for name in ("model.xml", "model.bin"):
        (work / name).write_text("converted")
    return {"fingerprint": fingerprint(folder), "score": 1e-6, "pixels": 0.001}


def reporting(result: dict[str, Any]) -> Callable[..., dict[str, Any]]:
    return lambda *_: result


def is_converted(folder: Path) -> bool:
    return isinstance(user_store().find(fingerprint(folder)), Converted)


def test_add_converts_at_once(tiny_detr: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with converting_by(succeed):
        assert models("add", tiny_detr, "--name", "tiny") == DONE
    printed = capsys.readouterr()
    assert printed.out == "tiny\n"
    assert printed.err.startswith("converting tiny: waiting\n")
    assert is_converted(tiny_detr)
    with starts_no_helper():
        assert models("add", tiny_detr, "--name", "the same") == DONE
        assert capsys.readouterr() == ("the same\n", "")
        assert models("convert", "tiny") == DONE
    printed = capsys.readouterr()
    assert printed.out == "tiny is converted: scores differ from PyTorch's by 1e-06, boxes by 0.001 pixels.\n"
    assert printed.err == ""


def test_no_convert_leaves_it_for_later(tiny_detr: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with starts_no_helper():
        assert models("add", tiny_detr, "--name", "tiny", "--no-convert") == DONE
    assert capsys.readouterr() == ("tiny\n", "")
    assert not is_converted(tiny_detr)
    with converting_by(succeed):
        assert models("convert", "tiny") == DONE
    assert is_converted(tiny_detr)


@pytest.mark.parametrize(
    ("result", "reason"),
    [(IMPOSSIBLE, "OpenVINO cannot convert this model: it has no layers."), ({"failed": "disk full"}, "disk full.")],
    ids=["refused", "failed"],
)
def test_a_model_that_cannot_be_converted_is_added_and_can_be_tried_again(
    result: dict[str, Any], reason: str, tiny_detr: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with converting_by(reporting(result)):
        assert models("add", tiny_detr, "--name", "tiny") == DONE
        printed = capsys.readouterr()
        assert printed.out == "tiny\n"
        assert printed.err.splitlines()[-1].startswith("detrdesk: tiny is executed by PyTorch.")
        assert printed.err.count(reason) == 1
        assert models("convert", "tiny") == SOME_FAILED
        printed = capsys.readouterr()
        assert (printed.out, printed.err.count(reason)) == ("", 1)
    with converting_by(succeed):
        assert models("convert", "tiny") == DONE
    assert is_converted(tiny_detr)


def test_a_refused_model_is_not_tried_again_by_add(tiny_detr: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with converting_by(reporting(IMPOSSIBLE)):
        models("add", tiny_detr)
    with starts_no_helper():
        assert models("add", tiny_detr, "--name", "again") == DONE
    assert capsys.readouterr().err.count("it has no layers") == 2


def test_ctrl_c_ends_the_conversion_and_keeps_the_model(tiny_detr: Path) -> None:
    command = [sys.executable, "-m", "desktop", "models", "add", str(tiny_detr), "--name", "tiny"]
    environment = {**os.environ, "PYTHONPATH": str(PROJECT)}
    running = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert running.stderr is not None
    assert running.stderr.readline() == "converting tiny: waiting\n"
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=20)
    assert (running.returncode, out) == (INTERRUPTED, "tiny\n"), err
    assert "conversion stopped; tiny is added" in err
    assert Catalog().path("tiny") == tiny_detr
    assert ConversionJobs(user_store().folder).get(fingerprint(tiny_detr)) is None


def test_a_model_on_the_hub_is_converted_when_it_is_downloaded(
    tiny_detr: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    files = {path.name: path.read_bytes() for path in tiny_detr.iterdir()}
    with hub_server() as server:
        server.repos["acme/tiny"] = bottles(files=files)
        monkeypatch.setenv("DETRDESK_HUB_ENDPOINT", server.url)
        with starts_no_helper():
            assert models("add", "acme/tiny", "--name", "tiny") == DONE
            assert "models download acme/tiny" in capsys.readouterr().err
            assert models("download", "tiny", "--no-convert") == DONE
        with converting_by(succeed):
            assert models("download", "tiny") == DONE
    assert capsys.readouterr().out == "tiny\n" * 2
    assert is_converted(Catalog().path("tiny"))


def test_a_download_that_is_no_usable_model_is_reported_and_no_failure(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with hub_server() as server:
        server.repos["acme/bottles"] = bottles()
        monkeypatch.setenv("DETRDESK_HUB_ENDPOINT", server.url)
        assert models("download", "acme/bottles") == DONE
    printed = capsys.readouterr()
    assert printed.out == "bottles\n"
    assert printed.err.splitlines()[-1].startswith("detrdesk: The model ")


@pytest.mark.parametrize(
    ("variable", "value", "reason"),
    [("DETRDESK_RUNTIME", "torch", "the runtime is set to torch"), ("DETRDESK_DEVICE", "cuda", "a GPU executes it")],
)
def test_settings_that_leave_nothing_to_convert(
    variable: str,
    value: str,
    reason: str,
    tiny_detr: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv(variable, value)
    with starts_no_helper():
        assert models("add", tiny_detr, "--name", "tiny") == DONE
        assert capsys.readouterr() == ("tiny\n", "")
        assert models("convert", "tiny") == DONE
    assert capsys.readouterr().out.startswith(f"tiny needs no conversion: {reason}")


def test_onnx_files_need_no_conversion(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    onnx_file = write_finished(tmp_path / "export.onnx")
    with starts_no_helper():
        assert models("add", onnx_file, "--name", "export") == DONE
        assert capsys.readouterr().out == "export\n"
        assert models("convert", "export") == DONE
    assert capsys.readouterr().out == "export needs no conversion: OpenVINO executes ONNX files as they are.\n"


def test_without_openvino_add_is_silent_and_convert_fails(
    tiny_detr: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for module in ("engine.inference.runtime_selector", "engine.cli.models_convert"):
        monkeypatch.setattr(f"{module}.versions", lambda: {"openvino": ""})
    assert models("add", tiny_detr, "--name", "tiny") == DONE
    assert capsys.readouterr() == ("tiny\n", "")
    assert models("convert", "tiny") == SOME_FAILED
    assert "OpenVINO is not installed" in capsys.readouterr().err


def test_convert_without_a_name_is_wrong_usage() -> None:
    with pytest.raises(SystemExit, match=str(USAGE)):
        models("convert")


def test_a_terminal_shows_one_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    line = ProgressLine()
    line.show("a long line", 1)
    line.show("short", 1)
    line.end()
    line.end()
    assert capsys.readouterr().err == "\ra long line\rshort      \n"
