"""Pointers of Git LFS: the small texts that stand in a clone in place of large files."""

from __future__ import annotations

from pathlib import Path

_START = b"version https://git-lfs.github.com/spec/"
_MOST_BYTES = 4096


def is_lfs_pointer(content: bytes) -> bool:
    """Whether a file with this content is a pointer."""
    return len(content) <= _MOST_BYTES and content.startswith(_START)


def has_lfs_pointer(path: Path) -> bool:
    """Whether the file is a pointer; false where it cannot be read."""
    try:
        if not path.is_file() or path.stat().st_size > _MOST_BYTES:
            return False
        return is_lfs_pointer(path.read_bytes())
    except (OSError, ValueError):
        return False
