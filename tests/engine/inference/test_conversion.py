"""A model is converted in the background while torch answers, and OpenVINO takes over."""

from __future__ import annotations

import errno
import json
import logging
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import psutil
import pytest

from engine import Engine
from engine.detect.agreement import difference
from engine.detect.detector import Detector
from engine.detect.recipe import Prepared
from engine.errors import CancelledError, DetectionError, ModelError
from engine.inference.conversions import Conversions
from engine.models.converted import MODEL_FILE, Converted, ConvertedModels
from engine.models.fingerprint import fingerprint
from engine.runtimes.conversion_process import ConversionProcess
from engine.runtimes.openvino_runtime import OpenVinoRuntime
from engine.runtimes.torch_runtime import TorchRuntime
from engine.settings import Settings
from tests.engine.inference.conversion import convert_here, user_store


@pytest.fixture(scope="module")
def tiny_store(tiny_detr: Path, tmp_path_factory: pytest.TempPathFactory) -> ConvertedModels:
    """The tiny DETR, converted once."""
    store = ConvertedModels(tmp_path_factory.mktemp("converted"))
    with store.work_folder() as work:
        assert convert_here(tiny_detr, work).is_small
        store.keep(work, fingerprint(tiny_detr), 1e-7, 1e-4)
    return store


@pytest.fixture
def kept(tiny_store: ConvertedModels) -> ConvertedModels:
    """The same for engines of this test."""
    shutil.copytree(tiny_store.folder, user_store().folder)
    return user_store()


@pytest.fixture
def engine(tiny_detr: Path) -> Iterator[Engine]:
    """An engine that converts."""
    engine = Engine(Settings(model=str(tiny_detr), runtime="auto", device="cpu"))
    yield engine
    engine.close()


def runs_nothing() -> Any:
    return patch.object(ConversionProcess, "run", side_effect=AssertionError("started a process"))


def tells(told: dict[str, Any]) -> Any:
    return patch.object(ConversionProcess, "run", return_value=told)


def test_torch_answers_first_and_openvino_takes_over(
    engine: Engine, image_file: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.INFO, "detrdesk.runtimes")
    first = engine.detect(image_file)
    assert first.runtime == "torch"
    assert engine.runtime_state().conversion == "waiting"
    assert engine.wait_for_conversion(timeout=110)
    second = engine.detect(image_file)
    assert second.runtime == "openvino"
    assert difference(second, first).is_small
    state = engine.runtime_state()
    assert (state.runtime, state.device, state.conversion, state.problem) == ("openvino", "cpu", "converted", None)
    assert state.score_difference is not None
    assert state.score_difference < 1e-3
    assert "OpenVINO takes over" in caplog.text
    assert capfd.readouterr() == ("", "")
    assert [path.name for path in user_store().folder.glob(".*")] == [".lock"]


def test_a_conversion_that_is_asked_for_tells_its_stages(engine: Engine) -> None:
    stages: list[str] = []
    state = engine.convert(progress=stages.append)
    assert state.conversion == "converted"
    assert (state.runtime, engine.loaded(engine.default_model)) == ("openvino", None)
    assert stages == ["waiting", "loading", "converting", "comparing", "converted"]
    with runs_nothing():
        assert engine.convert().conversion == "converted"


def test_what_was_converted_once_is_used_from_the_start(
    kept: ConvertedModels, engine: Engine, image_file: Path
) -> None:
    with runs_nothing():
        assert engine.detect(image_file).runtime == "openvino"
        assert engine.wait_for_conversion()


COLD = """
import sys
from engine import Engine
from engine.settings import Settings
found = Engine(Settings(model=sys.argv[2], runtime="auto")).detect(sys.argv[1])
print(len(found), found.runtime, sorted({"torch", "transformers", "openvino", "openvino_telemetry"} & set(sys.modules)))
"""

CANARY = """
import pathlib, socket, sys, threading
def refuse(*arguments): raise SystemExit(f"network: {arguments}")
socket.socket.connect = socket.socket.connect_ex = socket.socket.sendto = refuse
socket.getaddrinfo = socket.gethostbyname = socket.create_connection = refuse
from engine import Engine
from engine.runtimes.convert import convert
from engine.settings import Settings
if len(sys.argv) > 3:
    convert(pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3]))
found = Engine(Settings(model=sys.argv[2], runtime="auto")).detect(sys.argv[1])
print(len(found), found.runtime, sys.modules.get("openvino_telemetry"), threading.active_count())
"""


def run(code: str, *arguments: object, home: Path | None = None) -> str:
    environment = {**os.environ, "PYTHONPATH": os.getcwd(), **({"HOME": str(home)} if home else {})}
    command = [sys.executable, "-c", code, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=100)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_a_start_with_a_converted_model_needs_no_torch(
    kept: ConvertedModels, tiny_detr: Path, image_file: Path
) -> None:
    assert run(COLD, image_file, tiny_detr) == "12 openvino ['openvino', 'openvino_telemetry']"  # the latter is None


@pytest.mark.parametrize("converts", [False, True], ids=["detects", "converts"])
def test_openvino_calls_nobody_and_leaves_nothing_at_home(
    kept: ConvertedModels, tiny_detr: Path, image_file: Path, tmp_path: Path, converts: bool
) -> None:
    (home := tmp_path / "home").mkdir()
    (work := tmp_path / "work").mkdir()
    told = run(CANARY, image_file, tiny_detr, *([work] if converts else []), home=home)
    assert told == "12 openvino None 1"
    assert list(home.iterdir()) == []


@pytest.mark.alone
def test_closing_ends_the_conversion_within_a_second(engine: Engine, image_file: Path) -> None:
    engine.detect(image_file)
    engine.wait_for_conversion(timeout=0)
    child = started_child(os.getpid())
    began = time.monotonic()
    engine.close()
    assert time.monotonic() - began < 1
    assert not child.is_running()
    assert engine.detect(image_file).runtime == "torch"


def started_child(parent: int) -> psutil.Process:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        for child in psutil.Process(parent).children():
            if any("runtimes.convert" in part for part in child.cmdline()):
                return child
        time.sleep(0.02)
    raise AssertionError("no process converts")


KILLED = """
import sys, time
from engine import Engine
from engine.settings import Settings
engine = Engine(Settings(model=sys.argv[2], runtime="auto"))
engine.detect(sys.argv[1])
engine.wait_for_conversion(timeout=0)
time.sleep(100)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_a_killed_program_takes_its_conversion_along(tiny_detr: Path, image_file: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": os.getcwd()}
    program = subprocess.Popen([sys.executable, "-c", KILLED, str(image_file), str(tiny_detr)], env=environment)
    child = started_child(program.pid)
    program.send_signal(signal.SIGKILL)
    program.wait()
    assert psutil.wait_procs([child], timeout=5)[1] == []
    with user_store().work_folder():  # the next one that converts removes what was left
        assert len(list(user_store().folder.glob(".work-*"))) == 1


@pytest.mark.skipif(sys.platform != "linux", reason="nice and sessions are of Linux")
def test_a_conversion_nobody_waits_for_lets_others_go_first(tiny_detr: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    conversions = Conversions(user_store())
    conversions.want(fingerprint(tiny_detr), tiny_detr, pause=0)
    child = started_child(os.getpid())
    until = time.monotonic() + 30
    while child.nice() != 19 and time.monotonic() < until:
        time.sleep(0.02)
    assert child.nice() == 19
    group = Path(f"/proc/{child.pid}/autogroup")
    if os.access("/proc/self/autogroup", os.W_OK):
        while "nice 19" not in group.read_text() and time.monotonic() < until:
            time.sleep(0.02)
        assert "nice 19" in group.read_text()
        assert "nice 19" not in Path("/proc/self/autogroup").read_text()
    conversions.close()


def test_a_program_that_asks_once_starts_no_process(engine: Engine, image_file: Path) -> None:
    with runs_nothing():
        engine.detect(image_file)
        engine.close()
    assert not user_store().folder.exists()


def test_a_model_that_would_answer_differently_stays_with_torch(
    engine: Engine, tiny_detr: Path, image_file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with tells({"fingerprint": fingerprint(tiny_detr), "score": 0.04, "pixels": 12.5}):
        assert engine.convert().conversion == "refused"
    assert "scores by up to 0.04, boxes by up to 12.5 pixels" in caplog.text
    again = Engine(engine.settings)
    with runs_nothing():
        assert again.detect(image_file).runtime == "torch"
        assert not again.wait_for_conversion()
        state = again.runtime_state()
    assert (state.runtime, state.conversion) == ("torch", "refused")
    assert state.problem is not None
    assert state.problem.code == "conversion_differs"


def test_a_model_that_cannot_be_converted_stays_with_torch(engine: Engine, image_file: Path) -> None:
    with tells({"impossible": "No conversion rule for aten::fft_rfft"}):
        state = engine.convert()
    assert state.problem is not None
    assert state.problem.message == "OpenVINO cannot convert this model: No conversion rule for aten::fft_rfft."
    with runs_nothing():
        assert Engine(engine.settings).convert().conversion == "refused"


def test_a_failure_by_chance_is_tried_again_at_the_next_start(engine: Engine, image_file: Path) -> None:
    with tells({"failed": "killed"}):
        assert engine.convert().conversion == "failed"
    with runs_nothing():
        assert engine.detect(image_file).runtime == "torch"
        assert engine.convert().conversion == "failed"
    with tells({"impossible": "asked"}):
        assert Engine(engine.settings).convert().conversion == "refused"


def test_a_process_that_breaks_is_told_by_its_last_words(tiny_detr: Path, tmp_path: Path) -> None:
    broken = "engine.runtimes.conversion_process._START"
    with patch(broken, "import sys; print('half', end=''); sys.exit('out of luck.')"):
        told = ConversionProcess().run(tiny_detr, tmp_path, True, lambda stage: None)
    assert told == {"failed": "out of luck"}


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_a_process_that_is_killed_is_told_so(tiny_detr: Path, tmp_path: Path) -> None:
    """As the system does when memory runs out; what it said before is not the reason."""
    dies = "import os, sys; print('a warning', file=sys.stderr, flush=True); os.kill(os.getpid(), 9)"
    with patch("engine.runtimes.conversion_process._START", dies):
        told = ConversionProcess().run(tiny_detr, tmp_path, True, lambda stage: None)
    assert told == {"failed": "the process was ended by signal 9"}


def test_files_that_change_meanwhile_are_not_kept(engine: Engine, tiny_detr: Path) -> None:
    with tells({"fingerprint": "another", "score": 0.0, "pixels": 0.0}):
        state = engine.convert()
    assert state.conversion == "failed"
    assert user_store().find(fingerprint(tiny_detr)) is None


def test_a_folder_that_cannot_be_written_leaves_torch(
    engine: Engine, image_file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    user_store().folder.parent.mkdir(parents=True)
    user_store().folder.write_bytes(b"in the way")
    state = engine.convert()
    assert (state.conversion, engine.detect(image_file).runtime) == ("failed", "torch")
    assert "stays with torch" in caplog.text


def test_a_full_disk_leaves_torch(engine: Engine, image_file: Path) -> None:
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    with patch.object(ConversionProcess, "run", side_effect=full):
        state = engine.convert()
    assert state.problem is not None
    assert "No space left on device" in state.problem.message
    assert engine.detect(image_file).runtime == "torch"
    assert list(user_store().folder.glob(".work-*")) == []


@pytest.mark.parametrize(("name", "content"), [("model.bin", b""), (MODEL_FILE, b"<net"), ("manifest.json", b"[1")])
def test_a_damaged_entry_is_made_again(
    kept: ConvertedModels, engine: Engine, tiny_detr: Path, image_file: Path, name: str, content: bytes
) -> None:
    (entry,) = kept.folder.glob("*-*")
    (entry / name).write_bytes(content)
    assert engine.detect(image_file).runtime == "torch"

    def copies(self: ConversionProcess, folder: Path, work: Path, *_: object) -> dict[str, Any]:
        convert_here(folder, work)
        return {"fingerprint": fingerprint(folder), "score": 0.0, "pixels": 0.0}

    with patch.object(ConversionProcess, "run", copies):
        assert engine.wait_for_conversion(timeout=100)
    assert engine.detect(image_file).runtime == "openvino"


def test_a_whole_entry_that_cannot_be_opened_leaves_torch(
    kept: ConvertedModels, engine: Engine, tiny_detr: Path, image_file: Path
) -> None:
    (entry,) = kept.folder.glob("*-*")
    (entry / MODEL_FILE).write_bytes(b"<net")
    with kept.work_folder() as work:
        for name in (MODEL_FILE, "model.bin"):
            shutil.copy(entry / name, work / name)
        kept.keep(work, fingerprint(tiny_detr), 0.0, 0.0)
    with runs_nothing():
        assert engine.detect(image_file).runtime == "torch"
    assert engine.runtime_state().conversion == "failed"
    assert kept.find(fingerprint(tiny_detr)) is None


def test_a_converted_model_that_does_not_fit_beside_the_one_in_memory_leaves_torch(
    kept: ConvertedModels, engine: Engine, tiny_detr: Path, image_file: Path
) -> None:
    engine.apply(Settings(model=str(tiny_detr), runtime="torch", device="cpu"))
    engine.load()
    engine.settings = Settings(model=str(tiny_detr), runtime="auto", device="cpu")
    full = DetectionError("out_of_memory", "The memory is not enough.")
    with patch.object(OpenVinoRuntime, "__init__", side_effect=full):
        assert engine.detect(image_file).runtime == "torch"
    assert engine.runtime_state().problem is full
    assert isinstance(kept.find(fingerprint(tiny_detr)), Converted)


def test_without_openvino_torch_serves(kept: ConvertedModels, engine: Engine, image_file: Path) -> None:
    with (
        patch("engine.runtimes.openvino_runtime.openvino", side_effect=ImportError("no such library")),
        runs_nothing(),
    ):
        assert engine.detect(image_file).runtime == "torch"
        problem = engine.runtime_state().problem
    assert problem is not None
    assert problem.code == "openvino_missing"
    assert list(kept.folder.glob(f"*/{MODEL_FILE}"))


def test_the_doctor_tells_whether_openvino_works() -> None:
    from engine.cli import doctor

    assert doctor._openvino().state == "works"
    with patch("engine.runtimes.openvino_library.openvino", side_effect=ImportError("no libopenvino")):
        finding = doctor._openvino()
    assert finding.state.startswith("no libopenvino; torch serves")
    assert "pip install" in finding.mend


def test_a_converted_model_that_fails_at_an_image_hands_it_to_torch(
    kept: ConvertedModels, engine: Engine, image_file: Path
) -> None:
    failure = DetectionError("device_failed", "The model failed on cpu: bad shape.")
    with patch.object(OpenVinoRuntime, "run", side_effect=failure):
        assert engine.detect(image_file).runtime == "torch"
    with runs_nothing():
        state = Engine(engine.settings).runtime_state()
    assert (state.runtime, state.conversion) == ("torch", "refused")


def test_an_image_that_torch_fails_at_too_leaves_the_conversion(
    kept: ConvertedModels, engine: Engine, image_file: Path
) -> None:
    failure = DetectionError("device_failed", "The model failed on cpu: bad shape.")
    with (
        patch.object(OpenVinoRuntime, "run", side_effect=failure),
        patch.object(TorchRuntime, "run", side_effect=failure),
        pytest.raises(DetectionError, match="bad shape"),
    ):
        engine.detect(image_file)
    assert engine.detect(image_file).runtime == "openvino"
    assert engine.runtime_state().problem is None
    assert Engine(engine.settings).runtime_state().conversion == "converted"


def test_what_torch_was_not_tried_on_proves_nothing(kept: ConvertedModels, engine: Engine, image_file: Path) -> None:
    """Its user went on to the next image."""
    has_failed = threading.Event()

    def fails(*_: object) -> Any:
        has_failed.set()
        raise DetectionError("device_failed", "The model failed on cpu: bad shape.")

    with patch.object(OpenVinoRuntime, "run", fails), pytest.raises(CancelledError):
        engine.detect(image_file, cancelled=has_failed.is_set)
    assert engine.detect(image_file).runtime == "openvino"
    assert Engine(engine.settings).runtime_state().conversion == "converted"


def test_a_converted_model_that_fails_where_torch_cannot_be_loaded_stays(
    kept: ConvertedModels, engine: Engine, image_file: Path
) -> None:
    full = DetectionError("out_of_memory", "The memory is not enough.")
    failure = DetectionError("device_failed", "The model failed on cpu: bad shape.")
    with (
        patch.object(OpenVinoRuntime, "run", side_effect=failure),
        patch("engine.inference.model_runtimes.open_runtime", side_effect=full),
        pytest.raises(DetectionError, match="not enough"),
    ):
        engine.detect(image_file)
    assert engine.detect(image_file).runtime == "openvino"


def test_a_converted_model_that_fails_while_its_files_are_away_stays(
    kept: ConvertedModels, engine: Engine, image_file: Path
) -> None:
    """The next form was not tried on the image, and an answer for another one proves nothing."""
    engine.load()
    failure = DetectionError("device_failed", "The model failed on cpu: bad shape.")
    away = ModelError("folder_missing", "There is no folder.")
    image = engine.prepare(engine.open(image_file))
    with (
        patch.object(OpenVinoRuntime, "run", side_effect=failure),
        patch("engine.inference.loaded_models.read_model", side_effect=away),
        pytest.raises(ModelError),
    ):
        engine.detect_in(image)
    assert engine.detect(image_file).runtime == "openvino"


def test_a_detection_under_way_is_not_disturbed_by_the_change(
    tiny_store: ConvertedModels, engine: Engine, image_file: Path
) -> None:
    engine.detect(image_file)
    detect, inside, go_on = Detector.detect, threading.Event(), threading.Event()
    found = []

    def slow(detector: Detector, prepared: Prepared) -> Any:
        inside.set()
        go_on.wait(60)
        return detect(detector, prepared)

    def copies(self: ConversionProcess, folder: Path, work: Path, *_: object) -> dict[str, Any]:
        for path in tiny_store.folder.glob("*/model.*"):
            shutil.copy(path, work)
        return {"fingerprint": fingerprint(folder), "score": 0.0, "pixels": 0.0}

    with patch.object(ConversionProcess, "run", copies), patch.object(Detector, "detect", slow):
        thread = threading.Thread(target=lambda: found.append(engine.detect(image_file)))
        thread.start()
        inside.wait(60)
        assert engine.wait_for_conversion(timeout=60)
        go_on.set()
        thread.join()
        assert (found[0].runtime, len(found[0])) == ("torch", 12)
        assert engine.detect(image_file).runtime == "openvino"


def test_the_setting_decides(kept: ConvertedModels, engine: Engine, image_file: Path) -> None:
    assert engine.detect(image_file).runtime == "openvino"
    engine.apply(engine.settings.model_copy(update={"runtime": "torch"}))
    assert engine.detect(image_file).runtime == "torch"
    assert (engine.runtime_state().conversion, engine.wait_for_conversion()) == ("none", False)
    engine.apply(engine.settings.model_copy(update={"runtime": "auto"}))
    assert engine.detect(image_file).runtime == "openvino"


def test_the_runtime_openvino_waits_for_the_conversion(
    tiny_store: ConvertedModels, tiny_detr: Path, image_file: Path
) -> None:
    engine = Engine(Settings(model=str(tiny_detr), runtime="openvino", device="cpu"))

    def copies(self: ConversionProcess, folder: Path, work: Path, *_: object) -> dict[str, Any]:
        for path in tiny_store.folder.glob("*/model.*"):
            shutil.copy(path, work)
        return {"fingerprint": fingerprint(folder), "score": 0.0, "pixels": 0.0}

    with patch.object(ConversionProcess, "run", copies):
        assert engine.detect(image_file).runtime == "openvino"
    with tells({"impossible": "it is so"}):
        shutil.rmtree(user_store().folder)
        engine = Engine(engine.settings)
        assert engine.detect(image_file).runtime == "torch"


def test_a_device_that_is_no_cpu_is_left_to_torch(tiny_detr: Path, kept: ConvertedModels, image_file: Path) -> None:
    engine = Engine(Settings(model=str(tiny_detr), runtime="auto", device="cuda:7"))
    with pytest.raises(ModelError, match=r"cuda:7 is not available"):
        engine.detect(image_file)
    assert engine.runtime_state().conversion == "none"


def test_changes_are_told(engine: Engine, tiny_detr: Path) -> None:
    told: list[str] = []
    with engine.conversions_observed(told.append), tells({"failed": "by chance"}):
        engine.convert()
    engine.convert()
    assert told == [fingerprint(tiny_detr)] * 2


def test_an_observer_that_breaks_ends_no_conversion(engine: Engine, tiny_detr: Path, tmp_path: Path) -> None:
    def breaks(changed: str) -> None:
        raise BrokenPipeError

    other = shutil.copytree(tiny_detr, tmp_path / "other")
    (other / "config.json").write_text((other / "config.json").read_text() + "\n")
    with tells({"failed": "it is a test"}):
        with engine.conversions_observed(breaks):
            assert engine.convert().conversion == "failed"
        until = time.monotonic() + 20
        assert engine.convert(str(other), cancelled=lambda: time.monotonic() > until).conversion == "failed"


@pytest.mark.parametrize("asks", ["want", "wait"])
def test_closing_does_not_wait_for_a_large_file_to_be_read(tiny_detr: Path, asks: str) -> None:
    """What is kept is compared with its digest, which takes seconds for gigabytes."""
    store, reading, go_on = user_store(), threading.Event(), threading.Event()

    def slow(fingerprint: str) -> None:
        reading.set()
        go_on.wait(30)

    conversions = Conversions(store)
    with patch.object(store, "find", side_effect=slow):
        ask = (lambda: conversions.want("a" * 32, tiny_detr)) if asks == "want" else lambda: conversions.wait("a" * 32)
        asking = threading.Thread(target=ask)
        asking.start()
        assert reading.wait(10)
        closing = threading.Thread(target=conversions.close)
        closing.start()
        closing.join(5)
        assert not closing.is_alive()
        go_on.set()
        asking.join(10)
        assert not asking.is_alive()


def test_two_programs_convert_one_after_the_other(tiny_detr: Path) -> None:
    first, second = Conversions(user_store()), Conversions(user_store())
    began, go_on = threading.Event(), threading.Event()

    def slow(*_: object) -> dict[str, str]:
        began.set()
        go_on.wait(60)
        return {"impossible": "so it is"}

    with patch.object(ConversionProcess, "run", slow):
        first.want("a", tiny_detr, pause=0)
        assert began.wait(60)
        second.want("a", tiny_detr, pause=0)
        assert second.wait("a", timeout=1).stage == "waiting"
        go_on.set()
        assert first.wait("a", timeout=60).stage == "refused"
    with runs_nothing():
        assert second.wait("a", timeout=60).stage == "refused"
    assert json.loads(next(user_store().folder.glob("a-*/manifest.json")).read_text())["fingerprint"] == "a"
