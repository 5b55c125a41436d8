"""`detrdesk detect` over many images: JSON Lines, going on, the cache, being stopped."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from PIL import Image

from engine.cli import main as cli
from engine.cli.exit_codes import DONE, INTERRUPTED, SOME_FAILED, USAGE
from engine.detect.detection import Detections
from engine.detect.recipe import Prepared
from engine.models.catalog.catalog import Catalog
from engine.runtimes.detector import Detector
from tests.children import PROJECT


@pytest.fixture(autouse=True)
def tiny_model(tiny_detr: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tiny model is the default one."""
    monkeypatch.setenv("DETRDESK_MODEL", str(tiny_detr))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Images in a folder and one below it, one of which is none."""
    folder = tmp_path / "文件夹"
    (folder / "below").mkdir(parents=True)
    for at in range(5):
        Image.new("RGB", (40 + at, 30), (at * 40, 80, 90)).save(folder / ("below" if at % 2 else "") / f"图 {at}.png")
    (folder / "broken.jpg").write_text("<html>")
    return folder


def detect(*arguments: object) -> int:
    return cli.main(["detect", *map(str, arguments), "--quiet"])


def records(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def test_each_line_is_the_answer_of_one_image(folder: Path, tmp_path: Path) -> None:
    lines, array = tmp_path / "a.jsonl", tmp_path / "a.json"
    code = detect(folder, "--json-lines", lines, "--json", array, "--threshold", "0.1")
    assert code == SOME_FAILED
    assert records(lines) == json.loads(array.read_text("utf-8"))
    assert len(records(lines)) == 6
    failed = [record for record in records(lines) if "error" in record]
    assert [(Path(record["source"]).name, record["error"]["code"]) for record in failed] == [
        ("broken.jpg", "not_an_image")
    ]


def test_a_single_image_is_named_in_its_line(image_file: Path, tmp_path: Path) -> None:
    assert detect(image_file, "--json-lines", tmp_path / "a.jsonl") == DONE
    assert [record["source"] for record in records(tmp_path / "a.jsonl")] == [str(image_file)]


def test_without_resume_the_file_begins_anew(image_file: Path, tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text("something else")
    assert detect(image_file, "--json-lines", tmp_path / "a.jsonl") == DONE
    assert len(records(tmp_path / "a.jsonl")) == 1


def test_resume_leaves_out_what_is_there_and_tries_again_what_failed(folder: Path, tmp_path: Path) -> None:
    lines = tmp_path / "a.jsonl"
    detect(folder, "--json-lines", lines)
    Image.new("RGB", (20, 20)).save(folder / "broken.jpg")
    before = records(lines)
    with patch.object(Detector, "detect", autospec=True, side_effect=Detector.detect) as ran:
        assert detect(folder, "--json-lines", lines, "--resume", "--fresh") == DONE
    assert ran.call_count == 1
    after = records(lines)
    assert after[:5] == [record for record in before if "error" not in record]
    assert Path(after[5]["source"]).name == "broken.jpg"


def test_resume_without_a_file_begins_one(folder: Path, tmp_path: Path) -> None:
    detect(folder, "--json-lines", tmp_path / "a.jsonl", "--resume")
    assert len(records(tmp_path / "a.jsonl")) == 6


def test_resume_mends_a_half_line(folder: Path, tmp_path: Path) -> None:
    whole, cut = tmp_path / "whole.jsonl", tmp_path / "cut.jsonl"
    detect(folder, "--json-lines", whole)
    content = whole.read_bytes()
    for length in (len(content) // 2, content.index(b"\n") + 1, 5, 0):
        cut.write_bytes(content[:length])
        detect(folder, "--json-lines", cut, "--resume")
        assert by_source(cut) == by_source(whole)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--threshold", "0.7"], "threshold 0.5, not 0.7"),
        (["--top-k", "3"], "top_k None, not 3"),
        (["--model", "starter"], "model tiny-detr, not starter"),
        (["--tiles", "320"], "tiles None, not 320"),
    ],
)
def test_a_file_of_other_settings_is_refused_and_left_as_it_is(
    image_file: Path, tmp_path: Path, arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = tmp_path / "a.jsonl"
    detect(image_file, "--json-lines", lines)
    lines.write_bytes(lines.read_bytes() + b'{"half')
    before = lines.read_bytes()
    assert detect(image_file, "--json-lines", lines, "--resume", *arguments) == USAGE
    assert words in capsys.readouterr().err
    assert lines.read_bytes() == before


@pytest.mark.parametrize(("tiles", "words"), [((), "tiles 320, not None"), (["--tiles"], "tiles 320, not 640")])
def test_lines_of_other_tiles_are_refused_and_those_of_the_same_gone_on_with(
    image_file: Path, tmp_path: Path, tiles: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    lines, large = tmp_path / "a.jsonl", tmp_path / "large.png"
    Image.linear_gradient("L").resize((1600, 900)).convert("RGB").save(large)
    detect(large, "--json-lines", lines, "--tiles", "320", "--threshold", "0")
    before = lines.read_bytes()
    assert detect(large, image_file, "--json-lines", lines, "--resume", "--threshold", "0", *tiles) == USAGE
    assert words in capsys.readouterr().err
    assert lines.read_bytes() == before
    code = detect(large, image_file, "--json-lines", lines, "--resume", "--threshold", "0", "--tiles", "320")
    assert code == DONE
    assert lines.read_bytes().startswith(before)
    assert [record["source"] for record in records(lines)] == [str(large), str(image_file)]


def test_a_line_without_tiles_is_as_it_was_before_they_were_told(image_file: Path, tmp_path: Path) -> None:
    lines = tmp_path / "a.jsonl"
    detect(image_file, "--json-lines", lines)
    assert list(records(lines)[0]) == ["source", "object", "model", "top_k", "threshold", "predictions"]
    with patch.object(Detector, "detect", side_effect=AssertionError("ran the model")):
        assert detect(image_file, "--json-lines", lines, "--resume", "--fresh") == DONE


@pytest.mark.parametrize("content", ["one\ntwo", '{"a": 1}\n', "[1]\n", '{"source": 1}\n'])
def test_a_file_of_something_else_is_refused_and_left_as_it_is(
    image_file: Path, tmp_path: Path, content: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.txt").write_text(content)
    assert detect(image_file, "--json-lines", tmp_path / "a.txt", "--resume") == USAGE
    assert "is not a file that --json-lines wrote" in capsys.readouterr().err
    assert (tmp_path / "a.txt").read_text() == content


def test_resume_goes_with_json_lines(image_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        detect(image_file, "--resume")
    assert end.value.code == USAGE
    assert "--json-lines" in capsys.readouterr().err


def test_a_place_that_cannot_be_written_is_told_before_anything_runs(
    image_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with patch.object(Detector, "detect", side_effect=AssertionError("ran the model")):
        assert detect(image_file, "--json-lines", tmp_path / "no" / "a.jsonl") == USAGE
    assert "cannot be written" in capsys.readouterr().err


def test_the_second_time_everything_is_known_and_the_answer_is_the_same(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second, out = tmp_path / "1.jsonl", tmp_path / "2.jsonl", tmp_path / "out"
    detect(folder, "--json-lines", first)
    with patch.object(Detector, "detect", side_effect=AssertionError("ran the model")):
        detect(folder, "--json-lines", second, "--image-out", out)
        cli.main(["detect", str(folder / "图 0.png"), "--threshold", "0"])
    assert records(first) == records(second)
    assert len(list(out.iterdir())) == 5
    assert "known from an earlier run\n" in capsys.readouterr().out


def test_fresh_asks_the_model_again(image_file: Path) -> None:
    detect(image_file)
    with patch.object(Detector, "detect", autospec=True, side_effect=Detector.detect) as ran:
        assert detect(image_file, "--fresh") == DONE
    assert ran.call_count == 1


def test_a_model_that_is_renamed_meanwhile_goes_on_and_has_one_name_in_all_lines(
    folder: Path, tmp_path: Path, tiny_detr: Path
) -> None:
    """So that `--resume` of the same file goes on with each of them or with none."""
    lines, names = tmp_path / "a.jsonl", ["tiny", "small"]
    Catalog().add(tiny_detr, names[0])
    detect_in = Detector.detect

    def renames(self: Detector, prepared: Prepared) -> Detections:
        if len(names) == 2:
            Catalog().rename(names[0], names.pop())
        return detect_in(self, prepared)

    with patch.object(Detector, "detect", renames):
        detect(folder, "--json-lines", lines, "--model", "tiny")
    answers = [record for record in records(lines) if "error" not in record]
    assert [record["model"] for record in answers] == ["tiny"] * 5


def start(folder: Path, lines: Path, *more: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "desktop", "detect", str(folder), "--json-lines", str(lines), "--quiet", *more]
    environment = {**os.environ, "PYTHONPATH": str(PROJECT)}
    return subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)


def wait_for_lines(run: subprocess.Popen[str], lines: Path, count: int) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until and run.poll() is None:
        if lines.exists() and lines.read_bytes().count(b"\n") >= count:
            return
        time.sleep(0.002)
    pytest.fail("ended too early")


def by_source(path: Path) -> dict[str, dict[str, Any]]:
    found = {record["source"]: record for record in records(path)}
    assert len(found) == len(records(path)), "a source twice"
    return found


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """So many images that there is time to stop in between."""
    folder = tmp_path_factory.mktemp("many")
    for at in range(60):
        Image.effect_noise((600 + at, 400), 60).convert("RGB").save(folder / f"{at}.jpg")
    return folder


def test_a_killed_run_goes_on_to_the_same_content(many: Path, tmp_path: Path) -> None:
    """`kill -9` twice in the middle, then to the end."""
    lines, whole = tmp_path / "a.jsonl", tmp_path / "whole.jsonl"
    for more, count in ([], 7), (["--resume", "--fresh"], 20):
        run = start(many, lines, *more)
        wait_for_lines(run, lines, count)
        run.kill()
        run.communicate(timeout=30)
    assert lines.read_bytes().count(b"\n") < 60
    lines.write_bytes(lines.read_bytes() + b'{"source": "/half')
    assert detect(many, "--json-lines", lines, "--resume") == DONE
    assert detect(many, "--json-lines", whole, "--fresh") == DONE
    assert len(by_source(whole)) == 60
    assert by_source(lines) == by_source(whole)


def test_interrupting_is_quiet_and_keeps_what_is_done(many: Path, tmp_path: Path) -> None:
    lines = tmp_path / "a.jsonl"
    run = start(many, lines)
    wait_for_lines(run, lines, 3)
    run.send_signal(signal.SIGINT)
    _, told = run.communicate(timeout=30)
    assert (run.returncode, told) == (INTERRUPTED, "")
    assert 3 <= len(records(lines)) < 60


def test_a_list_of_images_gives_an_array_even_with_one_line(
    image_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "list.txt").write_text(f"{image_file}\n", "utf-8")
    assert detect(tmp_path / "list.txt", "--json", "-") == DONE
    assert [answer["source"] for answer in json.loads(capsys.readouterr().out)] == [str(image_file)]


def test_tiles_answer_in_the_same_form_with_more_in_it(tmp_path: Path) -> None:
    large, out = tmp_path / "large.png", tmp_path / "a.json"
    Image.linear_gradient("L").resize((1600, 900)).convert("RGB").save(large)
    answers = []
    for tiles in ((), ("--tiles", "320"), ("--tiles", "320"), ("--tiles",)):
        assert detect(large, "--json", out, "--threshold", "0", *tiles) == DONE
        answers.append(json.loads(out.read_text("utf-8")))
    assert len({json.dumps({**answer, "predictions": []}) for answer in answers}) == 1
    plain, tiled, again, usual = (answer["predictions"][0] for answer in answers)
    assert len(plain["result"]) < len(usual["result"]) < len(tiled["result"])
    assert tiled == again
    assert {**plain, "result": []} == {**tiled, "result": []}
    assert plain["result"][0].keys() == tiled["result"][0].keys()


@pytest.mark.parametrize("side", ["63", "8193", "-1", "6.5", "large.png"])
def test_a_side_that_makes_no_sense_is_refused(image_file: Path, side: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exited:
        detect(image_file, f"--tiles={side}")
    assert exited.value.code == USAGE
    assert "from 64 to 8192 pixels" in capsys.readouterr().err


def damaged_jpeg() -> bytes:
    """A photograph of which the fifth to seventh row of blocks are lost."""
    out = io.BytesIO()
    Image.effect_noise((160, 320), 60).save(out, "JPEG", restart_marker_rows=1)
    data = out.getvalue()
    places = [match.start() for match in re.finditer(rb"\xff[\xd0-\xd7]", data)]
    return data[: places[5]] + data[places[8] :]


@pytest.mark.parametrize("quiet", [[], ["--quiet"]])
def test_what_is_wrong_with_a_file_is_told_every_time(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], quiet: list[str]
) -> None:
    (tmp_path / "holed.jpg").write_bytes(damaged_jpeg())
    for _ in range(2):
        assert cli.main(["detect", str(tmp_path / "holed.jpg"), "--json", "-", *quiet]) == DONE
        shown = capsys.readouterr()
        [warning] = json.loads(shown.out)["warnings"]
        assert (warning["index"], warning["code"]) == (0, "image_damaged")
        assert f"detrdesk: holed.jpg: {warning['message']}" in shown.err


def test_a_sound_file_has_no_warnings(image_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert detect(image_file, "--json", "-") == DONE
    assert "warnings" not in json.loads(capsys.readouterr().out)


def test_lines_and_links_are_counted_and_patterns_are_several(
    image_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "set"
    folder.mkdir()
    image = folder / "a.png"
    image.write_bytes(image_file.read_bytes())
    (folder / "list.txt").write_text(f"header,label\n{image.name} 0.5 0.5 1 1\n")
    assert detect(folder / "list.txt", "--json", "-") == DONE
    assert "detrdesk: Lines of list.txt that name no image: 1." in capsys.readouterr().err
    assert detect(folder / "*.png", "--json", "-") == DONE
    assert [Path(each["source"]).name for each in json.loads(capsys.readouterr().out)] == ["a.png"]
    assert detect(folder / "*.webp", "--quiet") == SOME_FAILED
    assert "No image matches *.webp; check the folder and the pattern." in capsys.readouterr().err


def test_a_conversion_in_the_background_is_told_in_one_line(
    image_file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DETRDESK_RUNTIME", "auto")
    monkeypatch.setenv("DETRDESK_DEVICE", "cpu")
    with patch("engine.inference.conversions.start_detached") as start:
        assert cli.main(["detect", str(image_file)]) == DONE
        assert "converted for this machine in the background" in capsys.readouterr().err
        assert detect(image_file, "--fresh") == DONE
        assert capsys.readouterr().err == ""
    assert start.called
