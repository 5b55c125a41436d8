"""ONNX files as models of the engine, the command line and the server."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import numpy as np
import pytest
from PIL import Image

from engine.api.app import create_app
from engine.api.server import Server
from engine.cli import main as cli
from engine.cli.exit_codes import DONE
from engine.engine import Engine
from engine.errors import CancelledError, EngineError, ModelError
from engine.models.catalog.catalog import STARTER
from engine.review.cache import DetectionCache
from engine.runtimes import openvino_runtime
from engine.settings import Settings
from tests.onnx_files import FRACTIONS, field, model, node, tensor, value, write_finished, write_raw

ABC = {"names": "a,b,c"}
SIZE = (200, 100)
PIXELS = FRACTIONS * np.array([*SIZE, *SIZE], np.float32)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = Engine(cache=DetectionCache(tmp_path / "cache.sqlite"))
    yield engine
    engine.close()


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """Twice as wide as high, so that width and height cannot be confused."""
    Image.new("RGB", SIZE, (51, 102, 204)).save(tmp_path / "图 1.png")
    return tmp_path / "图 1.png"


def test_finished_boxes_are_pixels_of_the_image(engine: Engine, image: Path, tmp_path: Path) -> None:
    found = engine.detect(image, str(write_finished(tmp_path / "模型 1.onnx")))
    assert [each.label for each in found] == ["class 81", "class 2", "class 1"]
    np.testing.assert_allclose(found.scores, (0.8, 0.4, 0.2), atol=1e-3)
    np.testing.assert_allclose(found.boxes, PIXELS[::-1], atol=1e-3)
    assert (found.model, found.runtime, found.device) == ("模型 1", "openvino", "cpu")


@pytest.mark.parametrize(("kind", "scores"), [("float16", (0.8, 0.4, 0.2)), ("uint8", (204, 102, 51))])
def test_other_types_of_input_are_answered(
    engine: Engine, image: Path, tmp_path: Path, kind: str, scores: tuple[float, ...]
) -> None:
    """The tiny model's score is what it sees: the mean of a channel."""
    found = engine.detect(image, str(write_finished(tmp_path / "m.onnx", image_type=kind)))
    np.testing.assert_allclose(found.scores, scores, rtol=1e-3)


@pytest.mark.parametrize("mask", [None, (1, 64, 64), ("N", "height", "width")])
def test_raw_queries_are_finished(
    engine: Engine, image: Path, tmp_path: Path, mask: tuple[int | str, ...] | None
) -> None:
    found = engine.detect(image, str(write_raw(tmp_path / "m.onnx", 4, ABC, mask=mask)))
    means = (np.array([51, 102, 204]) / 255 - (0.485, 0.456, 0.406)) / (0.229, 0.224, 0.225)
    logits = np.diag(means) @ np.eye(3, 4)
    shares = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    np.testing.assert_allclose(found.scores, np.sort(shares[:, :3].max(1))[::-1], rtol=1e-3)  # of sums in f32
    best = found[0]
    assert best.label == "c"
    np.testing.assert_allclose(best.box, PIXELS[2], atol=1e-3)


def test_an_output_that_was_joined_with_another_is_found(engine: Engine, image: Path, tmp_path: Path) -> None:
    """A compiled model may call its output by the name of the step before."""
    nodes = [
        node("ReduceMean", ["pixel_values"], "means", axes=[2, 3], keepdims=0),
        node("Unsqueeze", ["means", "two"], "columns"),
        node("MatMul", ["columns", "row"], "a product"),
        node("Identity", ["a product"], "logits"),
        node("Sigmoid", ["columns"], "side"),
        node("Concat", ["side", "side", "side", "side"], "pred_boxes", axis=2),
    ]
    tensors = [
        tensor("two", np.array([2])),
        tensor("row", np.ones((1, 3), np.float32)),
    ]
    outputs = [value("logits", "float32", (1, 3, 3)), value("pred_boxes", "float32", (1, 3, 4))]
    path = tmp_path / "m.onnx"
    path.write_bytes(model(nodes, tensors, [value("pixel_values", "float32", (1, 3, 32, 32))], outputs, ABC))
    assert len(engine.detect(image, str(path))) == 3


def test_tensors_beside_the_file_are_used_and_change_the_fingerprint(
    engine: Engine, image: Path, tmp_path: Path
) -> None:
    path = tmp_path / "m.onnx"
    external = tensor("shift", np.zeros((1, 3, 4), np.float32), {"location": "m.onnx_data", "length": "48"})
    whole = write_finished(path).read_bytes()
    graph = field(7, field(1, node("Add", ["boxes", "shift"], "moved")) + field(5, external))
    path.write_bytes(whole + graph)
    (tmp_path / "m.onnx_data").write_bytes(np.zeros(12, np.float32).tobytes())
    before = engine.known.key(str(path))
    assert len(engine.detect(image, str(path))) == 3
    engine.close()
    (tmp_path / "m.onnx_data").write_bytes(np.ones(12, np.float32).tobytes())
    assert Engine().known.key(str(path)) != before


def test_the_cache_knows_an_image_until_the_names_are_given(engine: Engine, image: Path, tmp_path: Path) -> None:
    path = str(write_finished(tmp_path / "m.onnx"))
    opened = engine.open(image)
    found = engine.detect_known(opened, path)
    recalled = engine.known.recall(opened, path)
    assert recalled is not None
    assert [each.label for each in recalled] == [each.label for each in found] == ["class 81", "class 2", "class 1"]
    engine.name_classes(["cat", "dog", "bird"], path)
    assert engine.known.recall(opened, path) is None
    assert [each.label for each in engine.detect_known(opened, path)] == ["class 81", "bird", "dog"]
    assert not engine.recipe(path).names_unknown  # type: ignore[attr-defined]  # it is an OnnxModel


def test_names_tell_what_scores_are_made_of_where_nothing_else_does(
    engine: Engine, image: Path, tmp_path: Path
) -> None:
    path = str(write_raw(tmp_path / "m.onnx", 4))
    with pytest.raises(ModelError) as caught:
        engine.detect(image, path)
    assert caught.value.code == "onnx_scores_unknown"
    engine.name_classes(["a", "b", "c"], path)
    assert engine.detect(image, path)[0].label == "c"


def test_a_checkpoint_is_not_given_other_names(engine: Engine) -> None:
    with pytest.raises(ModelError, match="those of its config"):
        engine.name_classes(["a"], STARTER)


def test_threads_get_the_same_answer_and_a_cancelled_one_none(engine: Engine, image: Path, tmp_path: Path) -> None:
    path = str(write_finished(tmp_path / "m.onnx"))
    barrier = threading.Barrier(8)

    def ask(_: int) -> list[float]:
        barrier.wait()
        return [float(score) for score in engine.detect(image, path).scores]

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(ask, range(8)))
    assert answers == [answers[0]] * 8
    with pytest.raises(CancelledError):
        engine.detect(image, path, cancelled=lambda: True)


@pytest.mark.parametrize(
    "content", [b"", b"\x08", b"text", b"\0" * 4096, None], ids=["empty", "1", "text", "0", "half"]
)
def test_what_is_no_onnx_is_told_and_the_former_model_serves_on(
    engine: Engine, image: Path, tmp_path: Path, content: bytes | None
) -> None:
    good, bad = write_finished(tmp_path / "good.onnx"), tmp_path / "bad.onnx"
    before = engine.detect(image, str(good))
    whole = good.read_bytes()
    bad.write_bytes(whole[: len(whole) // 2] if content is None else content)
    with pytest.raises(ModelError, match=r"bad\.onnx cannot be used: it is not a whole ONNX file"):
        engine.detect(image, str(bad))
    np.testing.assert_array_equal(engine.detect(image, str(good)).boxes, before.boxes)


def test_a_graph_that_openvino_cannot_use_is_told(engine: Engine, image: Path, tmp_path: Path) -> None:
    """Whole, with inputs and outputs of the kind, and a step between that nobody knows."""
    nodes = [node("Unheard", ["images"], name) for name in ("labels", "boxes", "scores")]
    inputs = [value("images", "float32", (1, 3, 8, 8)), value("orig_target_sizes", "int64", (1, 2))]
    kinds = (("labels", "int64", (1, 9)), ("boxes", "float32", (1, 9, 4)), ("scores", "float32", (1, 9)))
    path = tmp_path / "m.onnx"
    path.write_bytes(model(nodes, [], inputs, [value(*kind) for kind in kinds]))
    with pytest.raises(EngineError) as caught:
        engine.detect(image, str(path))
    assert "\n" not in caught.value.message
    assert str(tmp_path) not in caught.value.message


def test_without_openvino_the_message_says_how_to_get_it(
    engine: Engine, image: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def absent() -> None:
        raise ImportError("No module named 'openvino'")

    monkeypatch.setattr(openvino_runtime, "openvino", absent)
    with pytest.raises(ModelError, match="pip install openvino"):
        engine.detect(image, str(write_finished(tmp_path / "m.onnx")))


def test_reading_a_file_imports_no_library_that_executes_it(tmp_path: Path) -> None:
    path = write_finished(tmp_path / "m.onnx")
    script = (
        "import sys; from pathlib import Path; from engine.engine import Engine; "
        "print(len(Engine().recipe(sys.argv[1]).names)); "
        "assert not {'openvino', 'torch', 'transformers', 'onnx', 'onnxruntime'} & sys.modules.keys()"
    )
    done = subprocess.run([sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=True)
    assert done.stdout == "90\n"


def test_the_command_line_takes_a_file(image: Path, tmp_path: Path) -> None:
    answer, path = tmp_path / "answer.json", write_finished(tmp_path / "m.onnx", {"names": "a,b,c"})
    given = ["detect", str(image), "--model", str(path), "--json", str(answer), "--threshold", "0.3", "--quiet"]
    assert cli.main(given) == DONE
    (of_image,) = json.loads(answer.read_text("utf-8"))["predictions"]
    assert [each["label"] for each in of_image["result"]] == ["class 81", "c"]


def test_the_server_answers_with_a_file(image: Path, tmp_path: Path) -> None:
    path = write_finished(tmp_path / "m.onnx", {"names": "a,b,c"})
    engine = Engine(Settings(models=(str(path), f"named={path}")))
    server = Server(create_app(engine), port=0)
    server.start()
    try:
        with httpx.Client(base_url=server.url, timeout=30) as client, image.open("rb") as file:
            health = client.get("/health").json()
            answer = client.post("/v1/vision/detection", files={"image": file}, data={"min_confidence": "0.3"}).json()
    finally:
        assert server.stop()
        engine.close()
    assert health["model"]["m"] == {"loaded": False, "family": "onnx", "classes": 3, "runtime": None}
    assert [each["label"] for each in answer["predictions"]] == ["class 81", "c"]
