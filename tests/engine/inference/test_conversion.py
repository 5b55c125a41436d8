"""Conversion in the background: states, failures, the helper process, and the change of the runtime."""

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
from engine.detect.recipe import Prepared
from engine.errors import CancelledError, DetectionError, ModelError
from engine.inference.conversion_jobs import ConversionJobs, Job
from engine.inference.conversions import Conversion, Conversions
from engine.models.converted import MODEL_FILE, Converted, ConvertedModels
from engine.models.fingerprint import fingerprint
from engine.runtimes.conversion_process import run_conversion
from engine.runtimes.detector import Detector
from engine.runtimes.openvino_runtime import OpenVinoRuntime
from engine.runtimes.torch_runtime import TorchRuntime
from engine.settings import Settings
from tests.children import PROJECT
from tests.conftest import end_helpers
from tests.engine.inference.conversion import (
    convert_here,
    converting_by,
    starts_no_helper,
    user_store,
    wait_for_conversion,
)


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


def reporting(result: dict[str, Any]) -> Any:
    return converting_by(lambda *arguments, **options: result)


def copying(store: ConvertedModels) -> Any:
    """Copy the model of a store in place of converting it."""

    def copies(module: str, folder: Path, work: Path, *_: object) -> dict[str, Any]:
        for path in store.folder.glob("*/model.*"):
            shutil.copy(path, work)
        return {"fingerprint": fingerprint(folder), "score": 0.0, "pixels": 0.0}

    return converting_by(copies)


@pytest.mark.alone  # of the lowest priority
def test_torch_answers_first_and_openvino_takes_over(
    engine: Engine, image_file: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    first = engine.detect(image_file)
    assert first.runtime == "torch"
    assert engine.runtime_state().conversion == "waiting"
    assert wait_for_conversion(engine, 110) == "converted"
    second = engine.detect(image_file)
    assert second.runtime == "openvino"
    assert difference(second, first).is_small
    state = engine.runtime_state()
    assert (state.runtime, state.device, state.conversion, state.problem) == ("openvino", "cpu", "converted", None)
    assert state.score_difference is not None
    assert state.score_difference < 1e-3
    assert capfd.readouterr() == ("", "")
    assert {path.name for path in user_store().folder.glob(".*")} == {".lock", ".jobs"}
    assert {path.name for path in (user_store().folder / ".jobs").iterdir()} <= {".helper", ".helper.log"}


def test_a_conversion_that_is_waited_for_reports_its_progress(engine: Engine) -> None:
    reported: list[Conversion] = []
    state = engine.convert(progress=reported.append)
    assert state.conversion == "converted"
    assert (state.runtime, engine.loaded(engine.default_model)) == ("openvino", None)
    stages = list(dict.fromkeys(each.stage for each in reported))
    assert (stages[0], stages[-1]) == ("waiting", "converted")
    assert [stage for stage in ("loading", "converting", "comparing") if stage in stages] == stages[1:-1]
    percents = [each.percent for each in reported if each.percent is not None]
    assert percents == sorted(percents)
    assert percents[-1] < 100
    with starts_no_helper():
        assert engine.convert().conversion == "converted"


def test_what_was_converted_once_is_used_from_the_start(
    kept: ConvertedModels, engine: Engine, image_file: Path
) -> None:
    with starts_no_helper():
        assert engine.detect(image_file).runtime == "openvino"
        assert engine.conversion().stage == "converted"


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
    environment = {**os.environ, "PYTHONPATH": str(PROJECT), **({"HOME": str(home)} if home else {})}
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


def helper_of(home: Path) -> psutil.Process:
    """The helper process of a home, as soon as it is there."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        for process in psutil.process_iter(["cmdline"]):
            command = process.info["cmdline"] or []
            if "engine.inference.conversion_helper" in command and str(home / "cache" / "converted") in command:
                return process
        time.sleep(0.02)
    raise AssertionError("there is no helper")


def child_of(helper: psutil.Process) -> psutil.Process:
    """The process in which the helper converts, as soon as it is there."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        for child in helper.children():
            if "engine.runtimes.convert" in child.cmdline():
                return child
        time.sleep(0.02)
    raise AssertionError("no process converts")


ONCE = """
import sys
from engine import Engine
from engine.settings import Settings
engine = Engine(Settings(model=sys.argv[2], runtime="auto", device="cpu"))
print(engine.detect(sys.argv[1]).runtime, engine.conversion().stage)
engine.close()
"""


@pytest.mark.alone  # of the lowest priority
def test_a_conversion_outlives_the_program_that_asked_for_it(own_home: Path, tiny_detr: Path, image_file: Path) -> None:
    assert run(ONCE, image_file, tiny_detr) == "torch waiting"
    helper = helper_of(own_home)
    assert run(ONCE, image_file, tiny_detr).endswith(("waiting", "loading", "converting", "comparing", "converted"))
    assert helper_of(own_home) == helper
    psutil.wait_procs([helper], timeout=100)
    assert not helper.is_running()
    assert run(ONCE, image_file, tiny_detr) == "openvino converted"
    log = (user_store().folder / ".jobs" / ".helper.log").read_text()
    assert log.count("attempt") == 1


@pytest.mark.alone  # of the lowest priority
@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_a_killed_helper_leaves_nothing_after_the_next_start(
    own_home: Path, engine: Engine, tiny_detr: Path, image_file: Path
) -> None:
    engine.detect(image_file)
    helper = helper_of(own_home)
    child = child_of(helper)
    helper.send_signal(signal.SIGKILL)
    assert psutil.wait_procs([helper, child], timeout=5)[1] == []
    assert len(list(user_store().folder.glob(".work-*"))) == 1
    again = Engine(engine.settings)
    assert list(user_store().folder.glob(".work-*")) == []
    again.detect(image_file)
    assert helper_of(own_home) != helper
    assert wait_for_conversion(again, 100) == "converted"


def test_two_killed_attempts_are_enough(engine: Engine, tiny_detr: Path, image_file: Path) -> None:
    jobs = ConversionJobs(user_store().folder)
    content = fingerprint(tiny_detr)
    jobs.put(Job(content, str(tiny_detr), stage="converting", percent=41, attempts=2))
    with converting_by(lambda *_, **__: pytest.fail("converted")):
        engine.detect(image_file)
        assert wait_for_conversion(engine) == "failed"
    problem = engine.conversion().problem
    assert problem is not None
    assert "twice" in problem.message
    with starts_no_helper():
        assert Engine(engine.settings).detect(image_file).runtime == "torch"
    with reporting({"impossible": "asked by hand"}):
        assert Engine(engine.settings).convert().conversion == "refused"


def test_a_job_whose_helper_was_killed_is_not_under_way(engine: Engine, tiny_detr: Path) -> None:
    jobs = ConversionJobs(user_store().folder)
    jobs.put(Job(fingerprint(tiny_detr), str(tiny_detr), stage="converting", percent=41, attempts=1))
    assert engine.conversion() == Conversion("converting", 41)
    for path in (user_store().folder / ".jobs").glob("*.json"):
        os.utime(path, (0, 0))
    assert engine.conversion() == Conversion()


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"fingerprint": 1, "checkpoint": 2}', b"\xff\x00"])
def test_a_damaged_job_is_none(tiny_detr: Path, content: bytes) -> None:
    jobs = ConversionJobs(user_store().folder)
    jobs.put(Job("a", str(tiny_detr)))
    (path,) = (user_store().folder / ".jobs").glob("*.json")
    path.write_bytes(content)
    assert jobs.get("a") is None
    assert jobs.next() is None


@pytest.mark.alone  # of the lowest priority
def test_a_cancelled_conversion_ends_and_leaves_nothing(own_home: Path, engine: Engine, image_file: Path) -> None:
    engine.detect(image_file)
    helper = helper_of(own_home)
    child = child_of(helper)
    engine.cancel_conversion()
    assert psutil.wait_procs([helper, child], timeout=20)[1] == []
    assert engine.conversion() == Conversion()
    assert list(user_store().folder.glob(".work-*")) == []
    with starts_no_helper():
        engine.detect(image_file)


def test_giving_up_a_conversion_by_hand_cancels_it(own_home: Path, engine: Engine) -> None:
    has_begun = threading.Event()

    def progress(state: Conversion) -> None:
        if state.stage == "converting":
            has_begun.set()

    state = engine.convert(progress=progress, cancelled=has_begun.is_set)
    assert state.conversion in ("none", "converting")
    helper_ends(own_home)
    assert engine.conversion() == Conversion()
    assert list(user_store().folder.glob(".work-*")) == []


def helper_ends(home: Path) -> None:
    jobs = ConversionJobs(home / "cache" / "converted")
    until = time.monotonic() + 20
    while jobs.is_helper_running and time.monotonic() < until:
        time.sleep(0.05)
    assert not jobs.is_helper_running


@pytest.mark.alone  # of the lowest priority
@pytest.mark.skipif(sys.platform != "linux", reason="nice and sessions are of Linux")
def test_a_conversion_nobody_waits_for_lets_others_go_first(own_home: Path, engine: Engine, image_file: Path) -> None:
    engine.detect(image_file)
    helper = helper_of(own_home)
    child = child_of(helper)
    until = time.monotonic() + 30
    while child.nice() != 19 and time.monotonic() < until:
        time.sleep(0.02)
    assert (helper.nice(), child.nice()) == (19, 19)
    assert os.getsid(helper.pid) == helper.pid
    group = Path(f"/proc/{child.pid}/autogroup")
    if os.access("/proc/self/autogroup", os.W_OK):
        while "nice 19" not in group.read_text() and time.monotonic() < until:
            time.sleep(0.02)
        assert "nice 19" in group.read_text()
        assert "nice 19" not in Path("/proc/self/autogroup").read_text()
    end_helpers(own_home)
    assert psutil.wait_procs([child], timeout=5)[1] == []


def test_the_setting_torch_starts_no_helper(engine: Engine, image_file: Path) -> None:
    engine.apply(engine.settings.model_copy(update={"runtime": "torch"}))
    with starts_no_helper():
        engine.detect(image_file)
    assert not user_store().folder.exists()


def test_the_log_of_the_helper_is_bounded(tmp_path: Path) -> None:
    from engine.inference import conversion_helper

    with patch.object(conversion_helper, "_LOG_BYTES", 1000):
        conversion_helper._log_to(tmp_path / "log")
    for _ in range(200):
        conversion_helper._log.info("a line of the log")
    logger = logging.getLogger("detrdesk")
    logger.handlers.pop().close()
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 2000


def test_a_model_that_would_answer_differently_stays_with_torch(
    engine: Engine, tiny_detr: Path, image_file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with reporting({"fingerprint": fingerprint(tiny_detr), "score": 0.04, "pixels": 12.5}):
        assert engine.convert().conversion == "refused"
    assert "scores by up to 0.04, boxes by up to 12.5 pixels" in caplog.text
    again = Engine(engine.settings)
    with starts_no_helper():
        assert again.detect(image_file).runtime == "torch"
        assert again.conversion().stage == "refused"
        state = again.runtime_state()
    assert (state.runtime, state.conversion) == ("torch", "refused")
    assert state.problem is not None
    assert state.problem.code == "conversion_differs"


def test_a_model_that_cannot_be_converted_stays_with_torch(engine: Engine, image_file: Path) -> None:
    with reporting({"impossible": "No conversion rule for aten::fft_rfft"}):
        state = engine.convert()
    assert state.problem is not None
    assert state.problem.message == "OpenVINO cannot convert this model: No conversion rule for aten::fft_rfft."
    with starts_no_helper():
        assert Engine(engine.settings).convert().conversion == "refused"


def test_a_failure_by_chance_is_tried_again_once_at_a_later_start(engine: Engine, image_file: Path) -> None:
    with reporting({"failed": "killed"}):
        engine.detect(image_file)
        assert wait_for_conversion(engine) == "failed"
    with starts_no_helper():
        assert engine.detect(image_file).runtime == "torch"
    with reporting({"failed": "killed again"}):
        again = Engine(engine.settings)
        again.detect(image_file)
        assert wait_for_conversion(again) == "failed"
    with starts_no_helper():
        assert Engine(engine.settings).detect(image_file).runtime == "torch"
    with reporting({"impossible": "asked by hand"}):
        assert engine.convert().conversion == "refused"


def test_a_process_that_breaks_is_told_by_its_last_words(tiny_detr: Path, tmp_path: Path) -> None:
    with patch("engine.runtimes.background._START", "import sys; print('half', end=''); sys.exit('out of luck.')"):
        result = run_conversion("a", tiny_detr, tmp_path, True, lambda stage, done, total: None)
    assert result == {"failed": "out of luck"}


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_a_process_that_is_killed_is_told_so(tiny_detr: Path, tmp_path: Path) -> None:
    """As the system does when memory runs out; what it wrote before is not the reason."""
    dies = "import os, sys; print('a warning', file=sys.stderr, flush=True); os.kill(os.getpid(), 9)"
    with patch("engine.runtimes.background._START", dies):
        result = run_conversion("a", tiny_detr, tmp_path, True, lambda stage, done, total: None)
    assert result == {"failed": "the process was ended by signal 9"}


def test_files_that_change_meanwhile_are_not_kept(engine: Engine, tiny_detr: Path) -> None:
    with reporting({"fingerprint": "another", "score": 0.0, "pixels": 0.0}):
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

    def fills(*_: object) -> dict[str, Any]:
        raise full

    with converting_by(fills):
        state = engine.convert()
    assert state.problem is not None
    assert "No space left on device" in state.problem.message
    with starts_no_helper():
        assert engine.detect(image_file).runtime == "torch"
    assert list(user_store().folder.glob(".work-*")) == []


@pytest.mark.parametrize(("name", "content"), [("model.bin", b""), (MODEL_FILE, b"<net"), ("manifest.json", b"[1")])
def test_a_damaged_entry_is_made_again(
    kept: ConvertedModels, engine: Engine, tiny_detr: Path, image_file: Path, name: str, content: bytes
) -> None:
    (entry,) = kept.folder.glob("*-*")
    (entry / name).write_bytes(content)

    def converts(module: str, folder: Path, work: Path, *_: object) -> dict[str, Any]:
        convert_here(folder, work)
        return {"fingerprint": fingerprint(folder), "score": 0.0, "pixels": 0.0}

    with converting_by(converts):
        assert engine.detect(image_file).runtime == "torch"
        assert wait_for_conversion(engine, 100) == "converted"
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
    with starts_no_helper():
        assert engine.detect(image_file).runtime == "torch"
    assert engine.runtime_state().conversion == "failed"
    assert kept.find(fingerprint(tiny_detr)) is None


def test_a_converted_model_that_does_not_fit_beside_the_one_in_memory_leaves_torch(
    kept: ConvertedModels, engine: Engine, tiny_detr: Path, image_file: Path
) -> None:
    engine.apply(Settings(model=str(tiny_detr), runtime="torch", device="cpu"))
    engine.load()
    engine._models.settings = Settings(model=str(tiny_detr), runtime="auto", device="cpu")
    full = DetectionError("out_of_memory", "The memory is not enough.")
    with patch.object(OpenVinoRuntime, "__init__", side_effect=full):
        assert engine.detect(image_file).runtime == "torch"
    assert engine.runtime_state().problem is full
    assert isinstance(kept.find(fingerprint(tiny_detr)), Converted)


def test_without_openvino_torch_serves(kept: ConvertedModels, engine: Engine, image_file: Path) -> None:
    with (
        patch("engine.runtimes.openvino_runtime.openvino", side_effect=ImportError("no such library")),
        starts_no_helper(),
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
    with starts_no_helper():
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
        patch("engine.inference.runtime_selector.TorchRuntime", side_effect=full),
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
        patch("engine.inference.model_pool.read_model", side_effect=away),
        pytest.raises(ModelError),
    ):
        engine.detect_in(image)
    assert engine.detect(image_file).runtime == "openvino"


def test_a_detection_under_way_is_not_disturbed_by_the_change(
    tiny_store: ConvertedModels, engine: Engine, image_file: Path
) -> None:
    detect, inside, go_on = Detector.detect, threading.Event(), threading.Event()
    found = []

    def slow(detector: Detector, prepared: Prepared) -> Any:
        inside.set()
        go_on.wait(60)
        return detect(detector, prepared)

    with copying(tiny_store), patch.object(Detector, "detect", slow):
        thread = threading.Thread(target=lambda: found.append(engine.detect(image_file)))
        thread.start()
        inside.wait(60)
        assert engine.convert().conversion == "converted"
        go_on.set()
        thread.join()
        assert (found[0].runtime, len(found[0])) == ("torch", 12)
        assert engine.detect(image_file).runtime == "openvino"


def test_the_setting_decides(kept: ConvertedModels, engine: Engine, image_file: Path) -> None:
    assert engine.detect(image_file).runtime == "openvino"
    engine.apply(engine.settings.model_copy(update={"runtime": "torch"}))
    assert engine.detect(image_file).runtime == "torch"
    assert (engine.runtime_state().conversion, engine.conversion()) == ("none", Conversion())
    engine.apply(engine.settings.model_copy(update={"runtime": "auto"}))
    assert engine.detect(image_file).runtime == "openvino"


def test_the_runtime_openvino_waits_for_the_conversion(
    tiny_store: ConvertedModels, tiny_detr: Path, image_file: Path
) -> None:
    engine = Engine(Settings(model=str(tiny_detr), runtime="openvino", device="cpu"))

    with copying(tiny_store):
        assert engine.detect(image_file).runtime == "openvino"
    with reporting({"impossible": "it is so"}):
        shutil.rmtree(user_store().folder)
        engine = Engine(engine.settings)
        assert engine.detect(image_file).runtime == "torch"


def test_a_device_that_is_no_cpu_is_left_to_torch(tiny_detr: Path, kept: ConvertedModels, image_file: Path) -> None:
    engine = Engine(Settings(model=str(tiny_detr), runtime="auto", device="cuda:7"))
    with pytest.raises(ModelError, match=r"cuda:7 is not available"):
        engine.detect(image_file)
    assert engine.runtime_state().conversion == "none"


def test_two_programs_convert_once(tiny_detr: Path) -> None:
    first, second = Conversions(user_store()), Conversions(user_store())
    began, go_on = threading.Event(), threading.Event()
    runs: list[object] = []

    def slow(*arguments: object) -> dict[str, str]:
        runs.append(arguments)
        began.set()
        go_on.wait(60)
        return {"impossible": "so it is"}

    with converting_by(slow):
        first.request("a", tiny_detr)
        assert began.wait(60)
        second.request("a", tiny_detr)
        assert second.state("a").is_under_way
        go_on.set()
        assert first.wait("a").stage == "refused"
        assert second.wait("a").stage == "refused"
    assert len(runs) == 1
    assert json.loads(next(user_store().folder.glob("a-*/manifest.json")).read_text())["fingerprint"] == "a"


def test_models_are_converted_one_after_the_other_those_waited_for_first(tiny_detr: Path, tmp_path: Path) -> None:
    conversions = Conversions(user_store())
    order: list[str] = []
    began, go_on = threading.Event(), threading.Event()

    def slow(module: str, folder: Path, *_: object) -> dict[str, str]:
        order.append(folder.name)
        began.set()
        go_on.wait(60)
        return {"impossible": "so it is"}

    with converting_by(slow):
        conversions.request("a", tmp_path / "first")
        assert began.wait(60)
        conversions.request("b", tmp_path / "second")
        conversions.request("c", tmp_path / "third", in_haste=True)
        go_on.set()
        assert conversions.wait("b").stage == "refused"
    assert order == ["first", "third", "second"]
