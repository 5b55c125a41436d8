"""Image formats: suffixes, and detection by the first bytes of a file."""

from __future__ import annotations

IMAGE_SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".apng", ".webp", ".bmp", ".dib", ".gif", ".tif", ".tiff"}
    | {".avif", ".avifs", ".ico", ".cur", ".ppm", ".pgm", ".pbm", ".pnm", ".heic", ".heif", ".hif"}
)
"""Lower-case suffixes of files that are listed as images."""

_SIGNATURES = {
    b"\xff\xd8\xff": "jpeg",
    b"\x89PNG\r\n\x1a\n": "png",
    b"GIF87a": "gif",
    b"GIF89a": "gif",
    b"II*\0": "tiff",
    b"MM\0*": "tiff",
    b"II+\0": "tiff",
    b"MM\0+": "tiff",
    b"\0\0\1\0": "ico",
    b"\0\0\2\0": "cur",
}
_AVIF_BRANDS = {b"avif", b"avis"}
_HEIC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"}
_DIB_HEADER_SIZES = {12, 16, 40, 52, 56, 64, 108, 124}


def format_of(data: bytes) -> str | None:
    """Return jpeg, png, gif, tiff, ico, cur, webp, bmp, ppm, avif or heic; `None` for unknown first bytes."""
    for signature, name in _SIGNATURES.items():
        if data.startswith(signature):
            return name
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "webp"
    if data[:2] == b"BM" and int.from_bytes(data[14:18], "little") in _DIB_HEADER_SIZES:
        return "bmp"
    if data[:1] == b"P" and data[1:2] in b"123456" and data[2:3] in b" \t\n\r#" and len(data) > 2:
        return "ppm"
    if data[4:8] == b"ftyp":
        return _of_brands(data)
    return None


def _of_brands(data: bytes) -> str | None:
    end = min(int.from_bytes(data[:4], "big"), 256)
    brands = {data[8:12]} | {data[at : at + 4] for at in range(16, end, 4)}
    if brands & _AVIF_BRANDS:
        return "avif"
    if brands & _HEIC_BRANDS:
        return "heic"
    return None
