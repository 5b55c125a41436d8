"""Detection requests in the shapes of OpenAI, DeepStack and LocalAI, of forms and of queries, as one type."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any, TypeVar
from urllib.parse import unquote

from pydantic import BaseModel, ValidationError
from starlette.datastructures import Headers, QueryParams

from engine.api.access import header_text
from engine.api.errors import RequestError
from engine.api.forms import Part
from engine.api.json_body import read_json
from engine.api.schemas import ITEM_KINDS, DetectionRequest, ImageItem, LocalAIRequest
from engine.detect.detection import Filter
from engine.image.inline import base64_bytes, data_uri_bytes

THRESHOLD, DEEPSTACK_THRESHOLD, LOCALAI_THRESHOLD = 0.9, 0.45, 0.5
"""Defaults of the endpoints. Sources: DeepStack's documentation, Object Detection, Setting Minimum Confidence (its
server's code has 0.40, its clients 0.45); LocalAI's, Object Detection, Request Format, and its RF-DETR backends."""

PREVIEW_TOP_K = 10
_LONGEST_URL = 8192
_DATA = b"data:"

BodyT = TypeVar("BodyT", bound=BaseModel)


@dataclass(frozen=True)
class ParsedRequest:
    """A validated detection request.

    Attributes:
        images: The bytes of image files, and URLs (as text) that are still to be fetched; at least one.
        filter: Which detections to keep.
        model: The model's name; `None` is the default model.
    """

    images: tuple[bytes | str, ...]
    filter: Filter
    model: str | None = None


def from_chat(body: bytes | bytearray, headers: Headers) -> ParsedRequest:
    """Parse a JSON body in OpenAI's shape; only its last message counts.

    Raises:
        EngineError: what is wrong with the body.
    """
    sent = read_json(body)
    messages = sent.fields.get("messages")
    last = {"messages": messages[-1:]} if isinstance(messages, list) else {}
    asked = _checked(DetectionRequest, sent.fields | last)
    items = [item for item in asked.messages[-1].content if isinstance(item, ImageItem)]
    if not items:
        message = "There is no image in the last message; add an item of type image_url or image_base64."
        raise RequestError("no_image", message, "messages")
    images = tuple(_image(sent.pieces(item.image_url.url), item.type == "image_base64") for item in items)
    labels = None if asked.labels is None else frozenset(asked.labels)
    threshold = THRESHOLD if asked.threshold is None else asked.threshold
    return _with_headers(ParsedRequest(images, Filter(labels, threshold, asked.top_k), asked.model), headers)


def from_upload(parts: list[Part], headers: Headers) -> ParsedRequest:
    """Parse a form with `file` parts.

    Raises:
        EngineError: what is wrong with the form.
    """
    images = tuple(part.content for part in parts if part.name == "file")
    chosen = Filter(None, _form_threshold(parts, "threshold", THRESHOLD), _top_k(_field(parts, "top_k"), None))
    return _with_headers(_of_form(images, chosen, parts, "file"), headers)


def from_deepstack(parts: list[Part], headers: Headers) -> ParsedRequest:
    """Parse DeepStack's form.

    Raises:
        EngineError: what is wrong with the form.
    """
    images = tuple(part.content for part in parts if part.name.startswith("image"))
    chosen = Filter(None, _form_threshold(parts, "min_confidence", DEEPSTACK_THRESHOLD))
    return _with_headers(_of_form(images[:1], chosen, parts, "image"), headers)


def from_localai(body: bytes | bytearray, headers: Headers) -> ParsedRequest:
    """Parse LocalAI's JSON body.

    Raises:
        EngineError: what is wrong with the body.
    """
    sent = read_json(body)
    asked = _checked(LocalAIRequest, sent.fields)
    threshold = LOCALAI_THRESHOLD if asked.threshold is None else asked.threshold
    images = (_image(sent.pieces(asked.image)),)
    return _with_headers(ParsedRequest(images, Filter(None, threshold), asked.model), headers)


def from_query(query: QueryParams, headers: Headers) -> ParsedRequest:
    """Parse the query of a preview.

    Raises:
        EngineError: what is wrong with the query.
    """
    url = query.get("url")
    if not url:
        raise RequestError("no_image", "Name an image: add url= to the address.", "url")
    chosen = Filter(None, _threshold(query.get("threshold"), THRESHOLD), _top_k(query.get("top_k"), PREVIEW_TOP_K))
    return _with_headers(
        ParsedRequest((_image(iter([url.encode()]), is_base64=False),), chosen, query.get("model") or None), headers
    )


def form_key(parts: list[Part]) -> str:
    """Return the API key in DeepStack's form, or an empty text."""
    return _field(parts, "api_key") or ""


def _of_form(images: tuple[bytes, ...], chosen: Filter, parts: list[Part], name: str) -> ParsedRequest:
    if not images:
        raise RequestError("no_image", "The form has no file named {name}; add one.", name, name=name)
    return ParsedRequest(images, chosen, _field(parts, "model") or None)


def _with_headers(parsed: ParsedRequest, headers: Headers) -> ParsedRequest:
    """Apply the model and threshold of the headers, which take precedence."""
    model, threshold = _header_model(headers), _header_threshold(headers)
    chosen = parsed.filter if threshold is None else replace(parsed.filter, threshold=threshold)
    return replace(parsed, model=model or parsed.model, filter=chosen)


def _header_model(headers: Headers) -> str:
    """`X-Model`, which is UTF-8 or percent-encoded."""
    return unquote(header_text(headers, "x-model"), errors="replace").strip()


def _header_threshold(headers: Headers) -> float | None:
    """`X-Detr-Threshold`; text that is no number counts as absent."""
    try:
        value = float(headers.get("x-detr-threshold", "").replace("_", "x"))
    except ValueError:
        return None
    return _in_range(value, "X-Detr-Threshold")


def _threshold(text: str | None, default: float) -> float:
    if not text:
        return default
    try:
        value = float(text)
    except ValueError:
        raise _bad_threshold("threshold") from None
    return _in_range(value, "threshold")


def _form_threshold(parts: list[Part], name: str, default: float) -> float:
    return _threshold(_field(parts, name), default)


def _in_range(value: float, param: str) -> float:
    if math.isnan(value) or not 0.0 <= value <= 1.0:
        raise _bad_threshold(param)
    return value


def _bad_threshold(param: str) -> RequestError:
    return RequestError("threshold_out_of_range", "The threshold must be a number from 0 to 1.", param)


def _top_k(text: str | None, default: int | None) -> int | None:
    if not text:
        return default
    try:
        value = int(text)
    except ValueError:
        value = 0
    if value < 1:
        raise RequestError("top_k_out_of_range", "top_k must be a whole number, 1 or more.", "top_k")
    return value


def _field(parts: list[Part], name: str) -> str | None:
    return next((part.text for part in parts if part.name == name and not part.is_file), None)


def _image(pieces: Iterator[bytes], is_base64: bool | None = None) -> bytes | str:
    """Return the bytes of inline data, or a URL to fetch; with `is_base64=None` a text with `://` is a URL."""
    first = next(pieces, b"")
    if first[: len(_DATA)].lower() == _DATA:
        return data_uri_bytes(chain([first], pieces))
    if is_base64 or (is_base64 is None and b"://" not in first[:_LONGEST_URL]):
        return base64_bytes(chain([first], pieces))
    if len(first) > _LONGEST_URL:
        message = "The URL is longer than {limit} characters; send the image itself as image_base64."
        raise RequestError("url_too_long", message, "url", limit=_LONGEST_URL)
    return first.decode()


def _checked(kind: type[BodyT], given: dict[str, Any]) -> BodyT:
    try:
        return kind.model_validate(given)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        param = _param(first["loc"])
        reason = first["msg"].removeprefix("Value error, ")[:200]
        message = "{field} cannot be used: {reason}."
        raise RequestError("bad_value", message, param, field=param, reason=reason) from None


def _param(place: tuple[int | str, ...]) -> str:
    """Return the path of a wrong field in the body, without the names of the schema's types."""
    last_message = ("messages", *place[2:]) if place[:1] == ("messages",) else place
    return ".".join(str(part) for part in last_message if part not in ITEM_KINDS)[:100]
