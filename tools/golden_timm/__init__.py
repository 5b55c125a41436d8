"""Golden files of models whose ResNet is timm's; see README.md."""

from __future__ import annotations


def declare_operators() -> None:
    """Let torchvision be imported beside a PyTorch that its compiled operators do not fit; timm calls none of them."""
    import re
    from importlib.util import find_spec
    from pathlib import Path

    import torch

    found = find_spec("torchvision")
    assert found is not None, "torchvision is not installed: see README.md"
    assert found.origin is not None, "torchvision is not installed: see README.md"
    source = Path(found.origin).with_name("_meta_registrations.py").read_text("utf-8")
    library = torch.library.Library("torchvision", "DEF")
    for name in set(re.findall(r'register_(?:meta|fake)\("(?:torchvision::)?(\w+)"', source)):
        library.define(f"{name}(Tensor nothing) -> Tensor")
    _kept.append(library)


_kept: list[object] = []
"""A library's operators live as long as it does."""
