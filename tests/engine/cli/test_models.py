"""`detrdesk models`."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from engine.cli import main as cli
from engine.cli.exit_codes import DONE, INTERRUPTED, SOME_FAILED, USAGE
from engine.engine import Engine
from engine.models.catalog.catalog import Catalog
from engine.models.catalog.entry import Defaults, downloaded_path
from engine.models.hub.folders import ModelFolders
from engine.paths import config_dir
from tests.children import PROJECT
from tests.hub_server import HubServer, bottles, hub_server, slow

Models = Callable[..., int]


@pytest.fixture
def models(capsys: pytest.CaptureFixture[str]) -> Models:
    """Run `detrdesk models` here; what it printed before is forgotten."""

    def run(*arguments: object) -> int:
        capsys.readouterr()
        try:
            return cli.main(["models", *map(str, arguments)])
        except SystemExit as end:
            return int(end.code or 0)

    return run


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[HubServer]:
    """A hub on loopback that has `acme/bottles`."""
    with hub_server() as server:
        server.repos["acme/bottles"] = bottles()
        monkeypatch.setenv("DETRDESK_HUB_ENDPOINT", server.url)
        for name in ("HF_TOKEN", "HF_ENDPOINT", "HF_HUB_OFFLINE"):
            monkeypatch.delenv(name, raising=False)
        yield server


@pytest.mark.alone
def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; from desktop.__main__ import main\n"
        "try: main(['models', 'add', '--help'])\n"
        "except SystemExit: pass\n"
        "print(sorted({'torch', 'transformers', 'numpy', 'PIL', 'PyQt5', 'pydantic', 'tomlkit'} & set(sys.modules)))"
    )
    times = []
    for _ in range(3):
        started = time.perf_counter()
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        times.append(time.perf_counter() - started)
    assert done.stdout.rstrip().endswith("[]")
    assert min(times) < 0.5


@pytest.mark.parametrize("arguments", [[], ["list"]], ids=str)
def test_the_list_has_a_line_a_model(
    arguments: list[str], models: Models, tiny_detr: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Catalog().add(tiny_detr, "瓶盖", Defaults(0.4, 3, frozenset({"cat"})))
    Catalog().add("facebook/detr-resnet-50", "R50", revision="v1")
    assert models(*arguments) == DONE
    printed = capsys.readouterr()
    head, starter, caps, r50, _, problem = printed.out.splitlines()
    assert head.split() == ["name", "family", "classes", "parameters", "size", "defaults", "where"]
    assert starter.split()[:3] == ["starter", "detr", "5"]
    assert "above 0.4, top 3, classes cat" in caps
    assert caps.endswith(str(tiny_detr))
    assert r50.endswith("hub: facebook/detr-resnet-50@v1")
    assert problem.startswith("R50: ")
    assert "download it first" in problem
    assert printed.err == ""


def test_the_list_as_json_is_nothing_but_json(
    models: Models, tiny_detr: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Catalog().add(tiny_detr, "瓶盖", Defaults(0.4))
    Catalog().add(tmp_path, "broken")
    assert models("list", "--json") == DONE
    starter, caps, broken = json.loads(capsys.readouterr().out)
    assert (starter["name"], starter["problem"], starter["parameters"] > 2e6) == ("starter", None, True)
    assert caps["defaults"] == {"threshold": 0.4, "top_k": None, "labels": None}
    assert caps["names"] == {"0": "cat", "1": "dog", "2": "猫头鹰"}
    assert broken["problem"]["code"] == "checkpoint_incomplete"


def test_a_broken_file_is_told_beside_the_list(models: Models, capsys: pytest.CaptureFixture[str]) -> None:
    config_dir().mkdir(parents=True)
    (config_dir() / "models.toml").write_text("[a]\nfolder = '/x\n")
    assert models() == SOME_FAILED
    printed = capsys.readouterr()
    assert "starter" in printed.out
    assert "line 2, column 10" in printed.err
    assert models("remove", "a") == USAGE
    (config_dir() / "models.toml").write_text("[a]\nfolder = '/x'\ntop_k = 0\n")
    assert models() == SOME_FAILED
    assert "line 3, column 9" in capsys.readouterr().err


def test_show_tells_all_that_is_known(models: Models, tiny_detr: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert models("show", tiny_detr) == DONE
    told = dict(line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines())
    assert told["name"] == "tiny-detr"
    assert told["classes"] == "3: cat, dog, 猫头鹰"
    assert told["runtime"].startswith("torch, device ")
    assert told["input"].startswith("shorter side 200, the longer at most 400 pixels")
    assert models("show", tiny_detr, "--json") == DONE
    assert json.loads(capsys.readouterr().out)["family"] == "detr"
    assert not Catalog().file.exists()


def test_show_of_what_cannot_be_used_says_why(
    models: Models, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert models("show", tmp_path) == SOME_FAILED
    assert "config.json is missing" in capsys.readouterr().out
    assert models("show", "nothing") == USAGE
    assert "There is no model nothing" in capsys.readouterr().err


def test_add_set_rename_and_remove(models: Models, tiny_detr: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert models("add", tiny_detr, "--name", "瓶盖", "--threshold", "0.4", "--labels", "cat", "cow") == DONE
    printed = capsys.readouterr()
    assert printed.out == "瓶盖\n"
    assert "no class cow" in printed.err
    assert Catalog().defaults("瓶盖") == Defaults(0.4, None, frozenset({"cat", "cow"}))
    assert models("set", "瓶盖", "--top-k", "5", "--labels", "dog") == DONE
    assert Catalog().defaults("瓶盖") == Defaults(0.4, 5, frozenset({"dog"}))
    assert models("set", "瓶盖", "--clear", "--top-k", "7") == DONE
    assert Catalog().defaults("瓶盖") == Defaults(None, 7)
    assert models("rename", "瓶盖", "caps") == DONE
    assert models("remove", "caps") == DONE
    printed = capsys.readouterr()
    assert str(tiny_detr) in printed.err
    assert (printed.out, Catalog().names, tiny_detr.is_dir()) == ("", ("starter",), True)


def test_renaming_the_default_model_reminds_of_the_settings(
    models: Models, tiny_detr: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Catalog().add(tiny_detr, "caps")
    monkeypatch.setenv("DETRDESK_MODEL", "caps")
    assert models("rename", "caps", "caps 2") == DONE
    assert "default model caps" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        ["add", "/nothing/here"],
        ["add", "resources/samples"],
        ["add", "a/b", "--threshold", "2"],
        ["add", "a/b", "--name", "x/y"],
        ["add", "a/b", "--name", "starter"],
        ["add"],
        ["rename", "starter", "x"],
        ["remove", "starter"],
        ["remove", "nothing"],
        ["set", "nothing", "--top-k", "3"],
        ["convert", "nothing"],
        ["unpickle", "starter"],
        ["check", "nothing"],
        ["nonsense"],
    ],
    ids=" ".join,
)
def test_wrong_usage_ends_with_two_and_changes_nothing(
    arguments: list[str], models: Models, capsys: pytest.CaptureFixture[str]
) -> None:
    assert models(*arguments) == USAGE
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "detrdesk" in printed.err
    assert Catalog().names == ("starter",)


def test_a_model_that_cannot_be_used_is_not_added_and_unpickle_makes_it_usable(
    models: Models, tiny_detr: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import torch
    from safetensors.torch import load_file

    folder = Path(shutil.copytree(tiny_detr, tmp_path / "王工 2026"))
    torch.save(load_file(folder / "model.safetensors"), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    assert models("add", folder) == USAGE
    assert f"detrdesk models unpickle '{folder}'" in capsys.readouterr().err
    assert models("unpickle", folder) == DONE
    assert capsys.readouterr().out == f"{folder / 'model.safetensors'}\n"
    assert models("add", folder) == DONE


def test_a_file_that_cannot_be_written_is_a_failure(models: Models, tiny_detr: Path) -> None:
    config_dir().write_text("a file where the folder should be")
    assert models("add", tiny_detr) == SOME_FAILED


def test_detect_takes_the_model_s_own_threshold_top_k_and_classes(
    tiny_detr: Path, image_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with closing(Engine()) as engine:
        label = engine.detect(image_file, str(tiny_detr))[1].label
    Catalog().add(tiny_detr, "tiny", Defaults(0.01, 2, frozenset({label})))

    def answer(*options: str) -> dict[str, object]:
        assert cli.main(["detect", str(image_file), "--model", "tiny", "--json", "-", *options]) == DONE
        told: dict[str, object] = json.loads(capsys.readouterr().out)
        return told

    assert (answer()["threshold"], answer()["top_k"]) == (0.01, 2)
    assert {each["label"] for each in answer()["predictions"][0]["result"]} == {label}  # type: ignore[index]
    assert (answer("--threshold", "0.2")["threshold"], answer("--top-k", "1")["top_k"]) == (0.2, 1)
    assert cli.main(["detect", str(image_file), "--model", str(tiny_detr), "--json", "-", "--fresh"]) == DONE
    assert json.loads(capsys.readouterr().out)["threshold"] == 0.01


def test_detect_says_that_the_models_file_is_broken_and_detects(
    image_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config_dir().mkdir(parents=True)
    (config_dir() / "models.toml").write_text("[starter]\nthreshold = 0,3\n")
    assert cli.main(["detect", str(image_file), "--json", "-"]) == DONE
    printed = capsys.readouterr()
    assert json.loads(printed.out)["threshold"] == 0.5
    assert "models.toml, line 2, column 14" in printed.err


def test_download_gives_the_model_a_name_and_remove_deletes_it(
    models: Models, hub: HubServer, capsys: pytest.CaptureFixture[str]
) -> None:
    assert models("download", "acme/bottles", "--name", "瓶子") == DONE
    printed = capsys.readouterr()
    assert printed.out == "瓶子\n"
    assert "asking the hub" in printed.err
    assert printed.err.rstrip().endswith("done")
    there = downloaded_path("acme/bottles")
    assert Catalog().path("瓶子") == there
    assert models("download", "瓶子") == DONE
    assert capsys.readouterr().out == "瓶子\n"
    assert models("remove", "瓶子", "--delete-files") == DONE
    assert not there.exists()
    assert Catalog().names == ("starter",)


def test_the_page_of_a_model_is_its_name_too(
    models: Models, hub: HubServer, capsys: pytest.CaptureFixture[str]
) -> None:
    assert models("download", f"{hub.url}/acme/bottles") == DONE
    assert capsys.readouterr().out == "bottles\n"


def test_a_model_that_the_hub_does_not_have_is_a_failure_with_its_reason(
    models: Models, hub: HubServer, capsys: pytest.CaptureFixture[str]
) -> None:
    assert models("download", "acme/nothing") == SOME_FAILED
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "acme/nothing" in printed.err
    assert Catalog().names == ("starter",)


def test_ctrl_c_leaves_what_the_next_download_goes_on_from(
    models: Models, hub: HubServer, capsys: pytest.CaptureFixture[str]
) -> None:
    hub.repos["acme/bottles"] = bottles(files={"model.safetensors": random.Random(1).randbytes(3_000_000)})
    hub.fault("/storage/", slow(100_000, 0.1))
    command = [sys.executable, "-m", "desktop", "models", "download", "acme/bottles"]
    environment = {**os.environ, "PYTHONPATH": str(PROJECT)}
    running = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert running.stderr is not None
    told = next(line for line in running.stderr if "of 3.0 MB" in line and not line.startswith("0.0"))
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=20)
    assert (running.returncode, out) == (INTERRUPTED, ""), told + err
    assert "the same command goes on" in err
    (part,) = ModelFolders().unfinished()
    assert part.done > 0
    assert models("download", "acme/bottles") == DONE
    assert hub.requests("/storage/")[-1].headers["range"] != "bytes=0-"


def test_files_that_were_not_downloaded_are_never_deleted(
    models: Models, tiny_detr: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Catalog().add(tiny_detr, "caps")
    assert models("remove", "caps", "--delete-files") == USAGE
    assert "were not downloaded" in capsys.readouterr().err
    assert tiny_detr.is_dir()
    assert Catalog().names == ("starter", "caps")


def test_files_that_two_names_lead_to_are_not_deleted(
    models: Models, hub: HubServer, capsys: pytest.CaptureFixture[str]
) -> None:
    models("download", "acme/bottles")
    Catalog().add(downloaded_path("acme/bottles"), "the same")
    assert models("remove", "bottles", "--delete-files") == USAGE
    assert "those of the same too" in capsys.readouterr().err
    assert Catalog().names == ("starter", "bottles", "the same")


def test_check_compares_the_ways_and_tells_their_times(
    models: Models, tiny_detr: Path, image_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert models("check", tiny_detr, image_file, "--runs", "1") == DONE
    printed = capsys.readouterr()
    head, *lines = printed.out.splitlines()
    assert head == "tiny-detr: 1 image, 1 run in turns"
    assert lines[0].split(",")[0].strip() == "torch"
    assert any("transformers (plain)" in line for line in lines)
    assert any("same as torch" in line for line in lines)


def test_check_says_where_a_runtime_finds_something_else(
    models: Models,
    tiny_detr: Path,
    image_file: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from engine.runtimes.plain import PlainDetector

    detect = PlainDetector.detect

    def moved(self: PlainDetector, image: object) -> object:
        from dataclasses import replace

        found = detect(self, image)  # type: ignore[arg-type]
        return replace(found, boxes=found.boxes + 3)

    monkeypatch.setattr(PlainDetector, "detect", moved)
    assert models("check", tiny_detr, image_file, "--runs", "1") == SOME_FAILED
    assert "DIFFERENT" in capsys.readouterr().out
