"""The OpenAPI descriptions of the endpoints."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from engine import __version__
from engine.api.schemas import (
    DeepStackError,
    DeepStackForm,
    DetectionRequest,
    ErrorAnswer,
    LocalAIRequest,
    UploadForm,
)

_REF = "#/components/schemas/{model}"
_ERRORS = {
    400: "The request is wrong: its message says what to change.",
    401: "No or wrong API key.",
    403: "The image's address, or the asking page's origin, is not allowed.",
    404: "There is no such model; the message names those there are.",
    408: "The request did not arrive in time.",
    413: "More bytes, pixels or images than the limit that the message names.",
    415: "Not an image that can be read.",
    421: "The Host header does not name this server.",
    422: "The image is truncated or damaged.",
    500: "A bug; the server's log says which.",
    502: "The image's host was not found, or answered badly.",
    503: "The queue is full, or the model cannot answer now; ask again after `Retry-After` seconds.",
    504: "The image's host was too slow.",
}
_DOOR_ERRORS = (401, 403, 421, 500)
_HEADERS: list[dict[str, Any]] = [
    {
        "name": "X-Model",
        "in": "header",
        "description": "The model, UTF-8 or percent-encoded; wins over the one of the body.",
        "schema": {"type": "string"},
        "example": "starter",
    },
    {
        "name": "X-Detr-Threshold",
        "in": "header",
        "description": "Keep scores greater than this, 0 to 1; text that is no number counts as absent.",
        "schema": {"type": "string"},
        "example": "0.9",
    },
]
_TOKENS = {
    "X-Prompts-Token": {
        "description": "Tokens of the images: max(1, floor(width * height / 784 + 0.5)) of each.",
        "schema": {"type": "integer", "minimum": 1},
    }
}
_KEYS = {
    "bearer": {"type": "http", "scheme": "bearer"},
    "apiKey": {"type": "apiKey", "in": "header", "name": "x-api-key"},
}


def detections(answer: type[BaseModel]) -> dict[str, Any]:
    """Of `POST /v1/vision/detections`."""
    return _posted(_json_answer(answer), _body({"application/json": DetectionRequest} | _UPLOAD))


def visualize() -> dict[str, Any]:
    """Of `POST /v1/vision/detect/visualize`."""
    return _posted(_picture(), _body({"application/json": DetectionRequest} | _UPLOAD))


def preview() -> dict[str, Any]:
    """Of `GET /v1/vision/detect/preview`."""
    parameters = [
        _query("url", "Where the image is, http(s) or a `data:` URI.", {"type": "string", "minLength": 1}, True),
        _query("model", "One of `GET /models`.", {"type": "string"}),
        _query("threshold", "Keep scores greater than this.", {"type": "number", "minimum": 0, "maximum": 1}),
        _query("top_k", "Keep the k best; 10 where absent.", {"type": "integer", "minimum": 1}),
    ]
    return _documented(_picture(), {"parameters": parameters + _HEADERS}, _errors(*_ERRORS))


def deepstack(answer: type[BaseModel]) -> dict[str, Any]:
    """Of `POST /v1/vision/detection`."""
    return _posted(_json_answer(answer), _body({"multipart/form-data": DeepStackForm}), DeepStackError)


def localai(answer: type[BaseModel]) -> dict[str, Any]:
    """Of `POST /v1/detection`."""
    return _posted(_json_answer(answer), _body({"application/json": LocalAIRequest}))


def plain(description: str, answer: type[BaseModel], *statuses: int) -> dict[str, Any]:
    """Of an endpoint that only tells something; `statuses` are those it may end with beside 200."""
    content = {"description": description, "model": answer}
    return _documented({200: content}, {}, _errors(*_DOOR_ERRORS, *statuses))


def metrics() -> dict[str, Any]:
    """Of `GET /metrics`."""
    content = {"text/plain": {"schema": {"type": "string"}}}
    return _documented({200: {"description": "Prometheus text", "content": content}}, {}, _errors(*_DOOR_ERRORS))


def openapi_document(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document, with the schemas of the bodies that the endpoints read themselves."""
    document = get_openapi(
        title="detrdesk",
        version=__version__,
        description="Object detection with DETR models. Errors are OpenAI's envelope with `detail` beside it.",
        routes=app.routes,
    )
    bodies = (DetectionRequest, LocalAIRequest, UploadForm, DeepStackForm)
    _, found = models_json_schema([(body, "validation") for body in bodies], ref_template=_REF)
    components = document.setdefault("components", {})
    components.setdefault("schemas", {}).update(found["$defs"])
    components["securitySchemes"] = _KEYS
    document["security"] = [{}, *({name: []} for name in _KEYS)]
    return document


_UPLOAD: dict[str, type[BaseModel]] = {"multipart/form-data": UploadForm}


def _posted(
    success: dict[int | str, Any], body: dict[str, Any], error: type[BaseModel] = ErrorAnswer
) -> dict[str, Any]:
    return _documented(success, {"requestBody": body, "parameters": _HEADERS}, _errors(*_ERRORS, answer=error))


def _documented(success: dict[int | str, Any], extra: dict[str, Any], errors: dict[int | str, Any]) -> dict[str, Any]:
    return {"responses": success | errors, "openapi_extra": extra}


def _body(kinds: dict[str, type[BaseModel]]) -> dict[str, Any]:
    content = {kind: {"schema": {"$ref": _REF.format(model=body.__name__)}} for kind, body in kinds.items()}
    return {"required": True, "content": content}


def _json_answer(answer: type[BaseModel]) -> dict[int | str, Any]:
    return {200: {"description": "What was found", "model": answer, "headers": _TOKENS}}


def _picture() -> dict[int | str, Any]:
    binary = {"schema": {"type": "string", "format": "binary"}}
    content = {"image/jpeg": binary, "image/png": binary}
    return {200: {"description": "The picture", "content": content, "headers": _TOKENS}}


def _query(name: str, description: str, schema: dict[str, Any], required: bool = False) -> dict[str, Any]:
    return {"name": name, "in": "query", "description": description, "schema": schema, "required": required}


def _errors(*statuses: int, answer: type[BaseModel] = ErrorAnswer) -> dict[int | str, Any]:
    return {status: {"description": _ERRORS[status], "model": answer} for status in sorted(statuses)}
