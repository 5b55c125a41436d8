"""`detrdesk bench`, and the measuring code that it shares with `make bench`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from engine.bench.machine import this_machine
from engine.bench.paired import Figure, Spread, at_most, compare_rates, in_turns, ratio_at_least, ratio_at_most
from engine.bench.stages import deviation, measure
from engine.bench.ways import Way
from engine.cli import main as cli
from engine.cli.exit_codes import DONE, SOME_FAILED, USAGE
from engine.detect.detection import Detections, Timing
from engine.runtimes.plain import PlainDetector
from tests.benchmarks.__main__ import GROUPS
from tests.benchmarks.cold import rates
from tests.benchmarks.fresh import HELPER, Home, end_helpers, fresh_home, helpers_of
from tests.benchmarks.gpu import plain_batches


@pytest.fixture(scope="module")
def told(tiny_detr: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, dict]:
    """What the command printed and wrote about the tiny model on two images."""
    folder = tmp_path_factory.mktemp("bench")
    images = [folder / "wide.png", folder / "high.png"]
    for image, size in zip(images, [(160, 120), (90, 150)], strict=True):
        Image.fromarray(np.random.default_rng(2).integers(0, 256, (*size[::-1], 3), np.uint8)).save(image)
    given = ["--model", tiny_detr, "--image", *images, "--runs", "2", "--json", folder / "bench.json"]
    command = [sys.executable, "-m", "desktop", "bench", *map(str, given)]
    environment = {**os.environ, "DETRDESK_HOME": str(folder / "home"), "DETRDESK_RUNTIME": "auto"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=100)
    assert done.returncode == DONE, done.stderr
    return done.stdout, json.loads((folder / "bench.json").read_text("utf-8"))


def test_each_way_is_measured_stage_by_stage(told: tuple[str, dict]) -> None:
    ways = {way["name"]: way for way in told[1]["ways"]}
    assert list(ways) == ["transformers", "torch", "openvino"]
    for way in ways.values():
        stages = way["stages"]
        assert all(stages[stage] > 0 for stage in ("decode", "preprocess", "model", "postprocess"))
        assert sum(stages.values()) < way["whole"]["max"] * 2
        assert way["whole"]["min"] <= way["whole"]["median"] <= way["whole"]["max"]


def test_the_others_are_compared_with_the_plain_way(told: tuple[str, dict]) -> None:
    plain, *others = told[1]["ways"]
    assert plain["ratio"] is None
    assert plain["deviation"] is None
    for way in others:
        assert way["ratio"]["median"] > 0
        assert way["deviation"]["score"] < 1e-3
        assert way["deviation"]["pixels"] < 0.5
        assert way["deviation"]["unmatched"] == 0


def test_the_table_is_short_and_names_machine_and_versions(told: tuple[str, dict]) -> None:
    lines = told[0].splitlines()
    assert lines[0] == "tiny-detr: 2 images, 2 runs in turns"
    assert "Python" in lines[1]
    assert "torch" in lines[1]
    assert lines[3].split()[:5] == ["runtime", "decode", "preprocess", "model", "postprocess"]
    assert lines[4].startswith("transformers (the plain way), cpu")
    assert max(map(len, lines[3:])) <= 120
    assert len(lines) < 20


@pytest.mark.parametrize(
    "given",
    [["--image", "gone.jpg"], ["--model", "no-such-model"], ["--device", "cuda:99"]],
    ids=" ".join,
)
def test_what_cannot_be_measured_is_told_in_one_line(
    tiny_detr: Path, capsys: pytest.CaptureFixture[str], given: list[str]
) -> None:
    assert cli.main(["bench", "--model", str(tiny_detr), "--runs", "1", *given]) == USAGE
    told = [line for line in capsys.readouterr().err.splitlines() if not line.endswith(" ...")]
    assert len(told) == 1
    assert told[0].startswith("detrdesk: ")


def test_figures_that_cannot_be_written_are_shown_all_the_same(
    tiny_detr: Path,
    image_file: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DETRDESK_RUNTIME", "torch")
    given = ["--model", str(tiny_detr), "--image", str(image_file), "--runs", "1", "--json", str(tmp_path)]
    assert cli.main(["bench", *given]) == SOME_FAILED
    printed = capsys.readouterr()
    assert "transformers (the plain way)" in printed.out
    assert "OpenVINO does not execute this model. The settings" in printed.out
    assert "cannot be written" in printed.err


def test_a_model_that_transformers_cannot_read_is_measured_alone(shared: Path, image_file: Path, capfd) -> None:
    model = shared / "models" / "deimv2_hgnetv2_atto_coco.onnx"
    assert cli.main(["bench", "--model", str(model), "--image", str(image_file), "--runs", "1"]) == DONE
    printed = capfd.readouterr().out
    assert "\nopenvino, cpu" in printed
    assert "no plain way" in printed


def test_help_of_bench_imports_nothing_heavy() -> None:
    code = (
        "import sys; from desktop.__main__ import main\n"
        "try: main(['bench', '--help'])\n"
        "except SystemExit: pass\n"
        "print(sorted({'torch', 'transformers', 'openvino', 'numpy', 'PIL', 'PyQt5', 'pydantic'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert "--runs" in done.stdout
    assert done.stdout.rstrip().endswith("[]")


def test_ways_take_turns_after_one_run_each_to_warm_up() -> None:
    order: list[str] = []
    times = in_turns({"a": lambda: order.append("a"), "b": lambda: order.append("b") or 7.0}, 2)
    assert order == ["a", "b", "a", "b", "a", "b"]
    assert times["b"] == [7.0, 7.0]
    assert len(times["a"]) == 2


def test_a_ratio_is_made_run_by_run() -> None:
    figure = Figure.of("x", [1.0, 4.0, 9.0], [2.0, 4.0, 6.0])
    assert figure.ratio == Spread(0.5, 1.0, 1.5)
    assert Figure.of("x", [1.0, 3.0, 8.0, 8.0], [2.0, 2.0, 4.0, 4.0], each=2).ratio == Spread(1.0, 1.5, 2.0)


def test_rates_are_images_a_second() -> None:
    figure = compare_rates("x", 10, lambda: 2.0, lambda: 5.0, 3, ratio_at_least(2.5))
    assert figure.ours == Spread(5.0, 5.0, 5.0)
    assert figure.plain == Spread(2.0, 2.0, 2.0)
    assert figure.is_met
    assert figure.row() == "| x | 5 images/s | 2 images/s | 2.50 (2.50 to 2.50) | ≥ 2.50, met |"


@pytest.mark.parametrize(
    ("target", "met"),
    [(ratio_at_most(0.5), True), (ratio_at_most(0.49), False), (ratio_at_least(0.51), False), (at_most(1.0), True)],
)
def test_a_target_is_met_up_to_its_bound(target, met: bool) -> None:
    figure = Figure.of("x", [1.0], [2.0], target)
    assert figure.is_met is met
    assert figure.as_dict()["met"] is met
    assert figure.row().endswith(", met |" if met else ", **missed** |")


def test_small_times_are_told_in_milliseconds() -> None:
    assert Figure.of("x", [0.0123, 0.02]).row() == "| x | 16.2 ms (12.3 to 20) |  |  |  |"
    assert Figure.of("x", [1.5], target=at_most(0.033)).row() == "| x | 1.5 s |  |  | ≤ 33 ms, **missed** |"


def found(scores: list[float], labels: list[int], lefts: list[float]) -> Detections:
    boxes = np.array([[left, 10, left + 20, 30] for left in lefts], np.float32)
    return Detections.from_arrays(np.array(scores, np.float32), np.array(labels), boxes, {}, 100, 100)


def test_deviation_is_that_of_the_nearest_box_of_the_same_class() -> None:
    one = found([0.9, 0.8, 0.01], [1, 2, 3], [10, 40, 0])
    other = found([0.9, 0.79, 0.01], [1, 2, 3], [10, 43, 70])
    far = deviation(one, other)
    assert far.score == pytest.approx(0.01)
    assert far.pixels == pytest.approx(3.0)
    assert far.unmatched == 0
    assert deviation(one, found([0.9, 0.8, 0.01], [1, 1, 3], [10, 40, 0])).unmatched == 1


def test_the_medians_of_the_stages_are_of_the_measured_runs_alone() -> None:
    preprocess = iter([99.0, 1.0, 2.0, 6.0])
    answer = found([0.9], [1], [10])
    way = Way("x", "cpu", lambda _: replace(answer, timing=Timing(preprocess=next(preprocess))))
    (measured,) = measure([way], [b""], 3)
    assert measured.stages == Timing(preprocess=2.0)


def test_the_machine_says_what_it_is() -> None:
    machine = this_machine()
    assert 1 <= machine.cores <= (os.cpu_count() or 1)
    assert {"detrdesk", "Python", "torch", "pillow"} <= machine.versions.keys()
    assert machine.cpu in str(machine)


def test_batches_of_the_plain_way_answer_as_single_images_do(tiny_detr: Path, image_file: Path) -> None:
    plain = PlainDetector(tiny_detr)
    with Image.open(image_file) as opened:
        image = opened.convert("RGB")
    single, (first, second) = plain.detect(image), plain.detect_batch([image, image])
    np.testing.assert_allclose(first.scores, single.scores, atol=1e-4)
    np.testing.assert_allclose(second.boxes, single.boxes, atol=0.5)
    batches: list[int] = []
    plain.detect_batch = lambda images, threshold: batches.append(len(images))
    plain_batches(plain, [image_file] * 70, 32)()
    assert batches == [32, 32, 6]


def test_cold_figures_come_first() -> None:
    assert next(iter(GROUPS)) == "cold"


def test_rates_end_at_the_last_answer_of_their_period() -> None:
    assert rates([1.0, 2.0, 8.0, 16.0, 18.0, 21.0], 10.0) == (3 / 8, 2 / 10)
    with pytest.raises(RuntimeError, match="2 and 0 answers"):
        rates([1.0, 2.0], 10.0)


def test_a_program_in_a_fresh_home_sees_no_settings_and_folders_of_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HOME", "DETRDESK_HOME", "DETRDESK_RUNTIME", "XDG_CACHE_HOME", "XDG_RUNTIME_DIR", "HF_HOME"):
        monkeypatch.setenv(name, "/the/user/has/this")
    with fresh_home() as home:
        code = "import json, os, engine.paths; print(json.dumps([str(engine.paths.cache_dir()), *os.environ.values()]))"
        cache, *values = json.loads(home.run([sys.executable, "-c", code]).output)
        assert Path(cache) / "converted" == home.converted
        assert not any("/the/user/has/this" in value for value in values)
    assert not home.folder.exists()


def test_the_helpers_of_one_home_are_ended(tmp_path: Path) -> None:
    homes = [Home(tmp_path / name) for name in ("one", "other")]
    code = "import time; time.sleep(60)"
    helpers = [subprocess.Popen([sys.executable, "-c", code, HELPER, str(home.converted), "none"]) for home in homes]
    try:
        assert [process.pid for process in helpers_of(homes[0].converted)] == [helpers[0].pid]
        assert not homes[0].wait_for_conversions(0.0)
        end_helpers(homes[0].converted)
        assert homes[0].wait_for_conversions(0.0)
        assert helpers[1].poll() is None
    finally:
        for helper in helpers:
            helper.kill()
            helper.wait()
