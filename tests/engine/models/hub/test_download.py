"""Downloads from a hub that works, and what another thread does to them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine.engine import Engine
from engine.errors import CancelledError, EngineError, ModelError
from engine.models.hub.control import Control
from engine.models.hub.endpoint import Endpoint
from engine.models.hub.folders import ModelFolders
from engine.models.hub.progress import Progress
from engine.settings import Settings
from tests.children import PROJECT
from tests.hub_server import CONFIG, TENSORS, HubServer, Repo, Told, bottles, cut, sha_of, slow, stall

Bring = Callable[..., Path]


def test_a_downloaded_checkpoint_detects_as_the_original(
    hub: HubServer, bring: Bring, tiny_detr: Path, image_file: Path
) -> None:
    hub.add("acme/tiny-detr", tiny_detr)
    folder = bring("acme/tiny-detr")
    engine = Engine(Settings(model=str(folder)))
    try:
        assert list(engine.detect(image_file)) == list(engine.detect(image_file, str(tiny_detr)))
    finally:
        engine.close()


def test_the_folder_has_what_is_needed_and_where_it_is_from(hub: HubServer, bring: Bring, models: Path) -> None:
    hub.repos["acme/bottles"] = bottles(
        files={
            "preprocessor_config.json": b"{}",
            "LICENSE": b"Apache",
            "pytorch_model.bin": b"pickle",
            "model.onnx": b"onnx",
            "modeling_bottles.py": b"import os",
            "training/config.json": b"{}",
            "NOTICE.md": bytes(2**21),
        }
    )
    folder = bring()
    assert folder == models / "acme--bottles"
    names = {path.name for path in folder.iterdir()}
    assert names == {
        "config.json", "preprocessor_config.json", "model.safetensors", "README.md", "LICENSE", "hub.json",
    }  # fmt: skip
    assert (folder / "model.safetensors").read_bytes() == TENSORS
    (record,) = ModelFolders(models).downloaded().values()
    assert (record.model, record.endpoint, record.revision) == ("acme/bottles", hub.url, "main")
    assert (record.sha, record.licence) == (sha_of(hub.repos["acme/bottles"].files), "apache-2.0")
    assert {(file.name, file.kind) for file in record.files} >= {
        ("model.safetensors", "sha256"),
        ("config.json", "git"),
    }
    assert not hub.requests("pytorch_model.bin")


def test_files_are_asked_for_at_the_commit_of_the_branch(hub: HubServer, bring: Bring) -> None:
    bring()
    sha = sha_of(hub.repos["acme/bottles"].files)
    assert hub.requests("/resolve/")
    assert all(f"/resolve/{sha}/" in asked.path for asked in hub.requests("/resolve/"))


def test_progress_tells_bytes_rate_and_time(hub: HubServer, bring: Bring, told: Told) -> None:
    hub.fault("/storage/", slow(100_000, 0.05))
    bring()
    assert told.states == [
        "asking",
        "checking",
        "downloading",
        "checking",
        "downloading",
        "checking",
        "downloading",
        "done",
    ]
    total = len(CONFIG) + len(TENSORS) + len(b"# Bottles\n")
    assert (told[-1].done, told[-1].total) == (total, total)
    rated = [progress for progress in told if progress.state == "downloading" and progress.done > 300_000]
    assert len(rated) >= 2
    for progress in rated:
        assert 100_000 < progress.rate < 20_000_000
        assert progress.file == "model.safetensors"
    running = rated[0]
    assert running.seconds_left == pytest.approx((total - running.done) / running.rate)
    assert [progress.done for progress in told] == sorted(progress.done for progress in told)


def test_shards_come_with_their_index(hub: HubServer, bring: Bring) -> None:
    shards = {f"model-0000{at}-of-00002.safetensors": TENSORS[at : at + 1000] for at in (1, 2)}
    index = {"model.safetensors.index.json": json.dumps({"weight_map": dict.fromkeys("ab", "x")}).encode()}
    hub.repos["acme/shards"] = Repo({"config.json": CONFIG} | index | shards)
    folder = bring("acme/shards")
    assert {path.name for path in folder.iterdir()} == {"config.json", "hub.json"} | set(index) | set(shards)


def test_a_model_that_is_there_is_not_downloaded_again(hub: HubServer, bring: Bring, told: Told) -> None:
    bring()
    hub.asked.clear()
    told.clear()
    bring()
    assert not hub.requests("/resolve/")
    assert told.states == ["asking", "done"]
    assert told[-1].done == told[-1].total > 0


def test_a_new_commit_takes_the_place_of_the_old(hub: HubServer, bring: Bring, models: Path) -> None:
    old = bring()
    hub.repos["acme/bottles"].files["model.safetensors"] = TENSORS[::-1]
    assert bring() == old
    assert (old / "model.safetensors").read_bytes() == TENSORS[::-1]
    assert [path.name for path in models.iterdir() if not path.name.startswith(".")] == ["acme--bottles"]
    assert ModelFolders(models).unfinished() == []


def test_nothing_has_the_models_name_before_it_is_whole(hub: HubServer, bring: Bring, told: Told, models: Path) -> None:
    seen: list[bool] = []
    told.then = lambda progress: seen.append((models / "acme--bottles").exists())
    bring()
    assert seen[-1]
    assert not any(seen[:-1])


def in_thread(work: Callable[[], Any]) -> tuple[threading.Thread, list[BaseException | Path]]:
    """Start it; the list gets what came of it."""
    result: list[BaseException | Path] = []

    def run() -> None:
        try:
            result.append(work())
        except BaseException as error:
            result.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread, result


def until(condition: Callable[[], object], seconds: float = 10.0) -> None:
    """Wait for it."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.005)


def test_a_pause_stops_the_bytes_and_resume_goes_on(
    hub: HubServer, bring: Bring, told: Told, control: Control, models: Path
) -> None:
    hub.fault("/storage/", slow(20_000, 0.02))
    thread, result = in_thread(lambda: bring(control=control))
    until(lambda: told and told[-1].done > 60_000)
    control.pause()
    until(lambda: told[-1].state == "paused")
    paused, asked = told[-1].done, len(hub.asked)
    part = models / ".partial" / "acme--bottles" / "model.safetensors.part"
    time.sleep(0.2)
    assert (told[-1].state, told[-1].done, len(hub.asked)) == ("paused", paused, asked)
    assert part.stat().st_size <= paused
    assert not result
    control.resume()
    thread.join(10)
    assert result == [models / "acme--bottles"]
    assert (models / "acme--bottles" / "model.safetensors").read_bytes() == TENSORS
    assert hub.requests("/storage/")[-1].headers["range"].startswith("bytes=")


def test_a_pause_holds_while_the_server_stalls(hub: HubServer, bring: Bring, told: Told, control: Control) -> None:
    hub.fault("/storage/", stall(after=50_000))
    thread, result = in_thread(lambda: bring(control=control))
    until(lambda: told and told[-1].done > 1000)
    control.pause()
    until(lambda: told[-1].state == "paused", 0.25)
    control.resume()
    thread.join(10)
    assert isinstance(result[0], Path)


@pytest.mark.alone
@pytest.mark.parametrize("place", ["/api/models/acme", "/resolve/", "/storage/"])
def test_cancel_ends_a_stalled_download_at_once_and_leaves_nothing(
    hub: HubServer, bring: Bring, control: Control, models: Path, place: str
) -> None:
    hub.fault(place, stall())
    thread, result = in_thread(lambda: bring(control=control))
    until(lambda: hub.requests(place))
    time.sleep(0.05)
    started = time.monotonic()
    control.cancel()
    thread.join(5)
    assert time.monotonic() - started < 0.5
    assert isinstance(result[0], CancelledError)
    assert ModelFolders(models).unfinished() == []
    assert not (models / ".partial" / "acme--bottles").exists()


def test_cancel_ends_a_pause(hub: HubServer, bring: Bring, control: Control) -> None:
    control.pause()
    thread, result = in_thread(lambda: bring(control=control))
    time.sleep(0.1)
    assert not result
    control.cancel()
    thread.join(5)
    assert isinstance(result[0], CancelledError)


def test_a_download_that_was_left_goes_on_in_another_process(
    hub: HubServer, bring: Bring, told: Told, control: Control, models: Path
) -> None:
    hub.fault("/storage/", slow(50_000, 0.02))

    def leave(progress: Progress) -> None:
        if progress.done > 200_000:
            control.leave()

    told.then = leave
    with pytest.raises(CancelledError):
        bring(control=control)
    (left,) = ModelFolders(models).unfinished()
    assert (left.record.model, left.record.revision) == ("acme/bottles", "main")
    assert 200_000 < left.done < left.record.total
    told.then = lambda progress: None
    hub.asked.clear()
    bring()
    (asked,) = hub.requests("/storage/")
    start = int(asked.headers["range"].removeprefix("bytes=").rstrip("-"))
    assert 150_000 < start <= left.done
    assert not hub.requests("config.json")
    assert ModelFolders(models).unfinished() == []


KILLED = """
import os, signal, sys
from engine.models.hub.download import download
from engine.models.hub.endpoint import Endpoint
def die(progress):
    if progress.done > 300_000:
        os.kill(os.getpid(), signal.SIGKILL)
download("acme/bottles", Endpoint(sys.argv[1], trusted=False), progress=die)
"""


def test_a_download_survives_the_end_of_its_process(hub: HubServer, bring: Bring, own_home: Path) -> None:
    """FAULTS 30: killed in the middle, taken up by the next process; the lock of the dead one is gone."""
    hub.fault("/storage/", slow(50_000, 0.01))
    environment = {**os.environ, "PYTHONPATH": str(PROJECT)}
    done = subprocess.run([sys.executable, "-c", KILLED, hub.url], env=environment, timeout=60)
    assert done.returncode == -signal.SIGKILL
    (left,) = ModelFolders().unfinished()
    assert 300_000 < left.done < left.record.total
    hub.asked.clear()
    folder = bring(folders=None)
    assert (folder / "model.safetensors").read_bytes() == TENSORS
    assert int(hub.requests("/storage/")[0].headers["range"][6:-1]) >= 250_000


def test_what_was_left_of_another_commit_is_not_mixed_in(
    hub: HubServer, bring: Bring, told: Told, control: Control
) -> None:
    hub.fault("/storage/", slow(50_000, 0.02))
    told.then = lambda progress: control.leave() if progress.done > 200_000 else None
    with pytest.raises(CancelledError):
        bring(control=control)
    told.then = lambda progress: None
    hub.repos["acme/bottles"].files["model.safetensors"] = TENSORS[::-1]
    hub.asked.clear()
    folder = bring()
    assert (folder / "model.safetensors").read_bytes() == TENSORS[::-1]
    assert "range" not in hub.requests("/storage/")[0].headers
    assert not hub.requests("config.json")


def test_what_was_left_can_be_discarded(hub: HubServer, bring: Bring, models: Path) -> None:
    hub.fault("/storage/", cut(100_000), times=100)
    hub.fault("/resolve/", lambda request: False)
    hub.fault("model.safetensors", cut(0), times=100)
    with pytest.raises(EngineError):
        bring()
    assert ModelFolders(models).unfinished()
    ModelFolders(models).discard("acme/bottles")
    assert ModelFolders(models).unfinished() == []


def test_a_model_is_downloaded_once_at_a_time(hub: HubServer, bring: Bring, control: Control, told: Told) -> None:
    hub.fault("/storage/", stall(after=1000))
    thread, _ = in_thread(lambda: bring(control=control))
    until(lambda: hub.requests("/storage/"))
    with pytest.raises(EngineError) as caught:
        bring()
    assert caught.value.code == "hub_taken"
    control.cancel()
    thread.join(5)


def test_no_thread_outlives_what_it_is_for(hub: HubServer, bring: Bring, control: Control) -> None:
    hub.fault("/storage/", slow(10_000, 0.01), times=2)
    thread, _ = in_thread(lambda: bring(control=control))
    until(lambda: hub.requests("/storage/"))
    control.pause()
    time.sleep(0.1)
    control.cancel()
    thread.join(5)
    until(lambda: not [each for each in threading.enumerate() if each.name == "hub"], 2.0)


def test_a_family_that_cannot_be_used_is_refused_before_its_tensors_come(
    hub: HubServer, bring: Bring, models: Path
) -> None:
    hub.repos["acme/bottles"] = bottles(files={"config.json": b'{"model_type": "deimv2"}'})
    with pytest.raises(ModelError) as caught:
        bring()
    assert caught.value.code == "family_unknown"
    assert "deimv2" in caught.value.message
    assert not hub.requests("model.safetensors")
    assert ModelFolders(models).unfinished() == []


@pytest.mark.parametrize("given", ["acme/bottles", " acme/bottles ", "https://huggingface.co/acme/bottles/"])
def test_a_model_may_be_given_by_its_page(hub: HubServer, bring: Bring, given: str, models: Path) -> None:
    assert bring(given) == models / "acme--bottles"


@pytest.mark.parametrize(
    "given", ["", "../evil", "a/b/c", "a--b/c", "/etc/passwd", "C:\\x", "a/b\0", "文件/模型", "x" * 5000]
)
def test_a_name_that_is_none_is_refused_without_asking(hub: HubServer, bring: Bring, given: str) -> None:
    with pytest.raises(EngineError) as caught:
        bring(given)
    assert caught.value.code == "hub_id"
    assert len(caught.value.message) < 300
    assert hub.asked == []


def test_the_librarys_own_download_takes_the_server_for_a_hub(hub: HubServer, tmp_path: Path) -> None:
    """That the tests' hub is like the real one, as far as `huggingface_hub` can tell."""
    import huggingface_hub

    for name in ("config.json", "model.safetensors"):
        path = huggingface_hub.hf_hub_download("acme/bottles", name, endpoint=hub.url, local_dir=tmp_path, token=False)
        assert Path(path).read_bytes() == hub.repos["acme/bottles"].files[name]


def test_the_users_own_folder_is_where_models_go(
    hub: HubServer, endpoint: Endpoint, bring: Bring, own_home: Path
) -> None:
    assert bring(folders=None) == own_home / "data" / "models" / "acme--bottles"
