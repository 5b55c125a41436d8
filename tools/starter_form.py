"""The starter's 16-bit weights and its converted form: `python tools/starter_form.py` rewrites both.

The weights of `resources/starter/model.safetensors` are rounded to 16 bits. The form for OpenVINO, in
`resources/starter/openvino/`, is made of the rounded weights; those of its constants that 16 bits hold exactly are kept
in 16 bits, the others (convolutions with folded batch norms) in 32, so that the form computes what the checkpoint does.
Both are compared on the probe images; the files are replaced only where they agree.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from engine.detect.agreement import Disagreement  # noqa: E402
from engine.models.converted import MODEL_FILE, SHIPPED, write_shipped  # noqa: E402
from engine.models.fingerprint import fingerprint  # noqa: E402
from engine.runtimes.convert import compare, convert  # noqa: E402
from engine.runtimes.openvino_library import openvino  # noqa: E402

STARTER = ROOT / "resources" / "starter"
WEIGHTS = "model.safetensors"
MOST_SCORE, MOST_PIXELS = 1e-3, 0.5
MOST_BYTES = 12_000_000
"""Of checkpoint and form together."""
_SMALL = 64
"""Numbers; smaller constants stay as they are."""


def main() -> int:
    """Write the weights and the form; 1 where they differ too much or are too large."""
    with tempfile.TemporaryDirectory() as scratch:
        checkpoint, exact, form = (Path(scratch, name) for name in ("checkpoint", "exact", "form"))
        shutil.copytree(STARTER, checkpoint, ignore=shutil.ignore_patterns(SHIPPED))
        exact.mkdir()
        form.mkdir()
        halve_weights(checkpoint / WEIGHTS)
        convert(checkpoint, exact)
        halve_constants(exact / MODEL_FILE, form / MODEL_FILE)
        found = compare(checkpoint, form / MODEL_FILE)
        size = sum(path.stat().st_size for path in [*form.iterdir(), checkpoint / WEIGHTS])
        print(f"scores differ by at most {found.score:.1e}, boxes by {found.pixels:.1e} pixels; {size:,} bytes")
        if not agrees(found) or size > MOST_BYTES:
            print("Nothing was changed.", file=sys.stderr)
            return 1
        shutil.copyfile(checkpoint / WEIGHTS, STARTER / WEIGHTS)
        shutil.rmtree(STARTER / SHIPPED, ignore_errors=True)
        shutil.copytree(form, STARTER / SHIPPED)
        write_shipped(STARTER / SHIPPED, fingerprint(STARTER), found.score, found.pixels)
    return 0


def agrees(found: Disagreement) -> bool:
    """Return whether two runtimes agree as the program promises."""
    return found.score <= MOST_SCORE and found.pixels <= MOST_PIXELS


def halve_weights(file: Path) -> None:
    """Round the 32-bit tensors of a safetensors file to 16 bits."""
    tensors = load_file(file)
    halved = {name: t.astype(np.float16) if t.dtype == np.float32 else t for name, t in tensors.items()}
    save_file(halved, file, metadata={"format": "pt"})


def halve_constants(source: Path, target: Path) -> None:
    """Copy a converted model with those 32-bit constants in 16 bits that 16 bits hold exactly."""
    from openvino import Type, opset13

    model = openvino().Core().read_model(source)
    for node in model.get_ops():
        if node.get_type_name() != "Constant" or node.get_element_type() != Type.f32 or node.data.size < _SMALL:
            continue
        with np.errstate(over="ignore"):
            half = node.data.astype(np.float16)
        if not np.array_equal(half.astype(np.float32), node.data):
            continue
        widened = opset13.convert(opset13.constant(half), "f32")
        for reader in node.output(0).get_target_inputs():
            reader.replace_source_output(widened.output(0))
    openvino().save_model(model, target, compress_to_fp16=False)


if __name__ == "__main__":
    sys.exit(main())
