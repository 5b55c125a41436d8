"""Base64 and `data:` URIs that are split at any position."""

from __future__ import annotations

import base64
import os
from itertools import pairwise
from urllib.parse import quote_from_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import SourceError
from engine.image.inline import base64_bytes, data_uri_bytes

CUTS = st.lists(st.integers(0, 400), max_size=6)


def cut(text: bytes, places: list[int]) -> list[bytes]:
    """The text in pieces."""
    edges = [0, *sorted(min(place, len(text)) for place in places), len(text)]
    return [text[start:end] for start, end in pairwise(edges)]


@given(st.binary(max_size=200), CUTS, st.booleans(), st.booleans(), st.booleans())
def test_base64_comes_back_however_it_is_cut(
    data: bytes, places: list[int], url_safe: bool, padded: bool, lines: bool
) -> None:
    text = base64.urlsafe_b64encode(data) if url_safe else base64.b64encode(data)
    text = text if padded else text.rstrip(b"=")
    text = b"\r\n".join(text[at : at + 76] for at in range(0, len(text), 76)) if lines else text
    assert base64_bytes(cut(text, places)) == data


@given(st.binary(max_size=100), st.lists(st.integers(0, 20), max_size=3), st.booleans())
def test_a_data_uri_comes_back_however_it_is_cut(data: bytes, places: list[int], is_base64: bool) -> None:
    body = quote_from_bytes(base64.b64encode(data) if is_base64 else data, safe="").encode()
    head = b"DATA:image/png;name=a%20b;base64," if is_base64 else b"data:image/png,"
    first, *others = cut(body, places)
    assert data_uri_bytes([head + first, *others]) == data


@pytest.mark.parametrize(
    "pieces",
    [
        [b"!"],
        [b"A"],
        [b"QQ==QUJD"],
        [b"QQ==", b"QUJD"],
        [b"Q=", b"Q"],
        [b"\xe4\xb8\xad"],
        [b"QUJD%"],
        [b"QUJD", b"="] * 2,
    ],
)
def test_invalid_base64_is_refused(pieces: list[bytes]) -> None:
    with pytest.raises(SourceError) as caught:
        base64_bytes(pieces)
    assert caught.value.code == "bad_base64"


@pytest.mark.parametrize("uri", [b"", b"data:image/png;base64", b"dat:,a"])
def test_an_incomplete_data_uri_is_refused(uri: bytes) -> None:
    with pytest.raises(SourceError) as caught:
        data_uri_bytes([uri])
    assert caught.value.code == "bad_data_uri"


def test_many_pieces() -> None:
    data = os.urandom(3_000_001)
    text = base64.b64encode(data)
    assert base64_bytes(text[at : at + 1000] for at in range(0, len(text), 1000)) == data
