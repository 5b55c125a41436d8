"""The endpoints."""

from __future__ import annotations

import asyncio
from typing import Any, cast

from fastapi import APIRouter
from fastapi.responses import FileResponse, JSONResponse, Response
from starlette.requests import Request
from starlette.routing import Route

from engine.answer import detections_answer, shortest, with_warnings
from engine.api import docs, parsing
from engine.api.access import sent_key
from engine.api.forms import is_multipart, parse_form
from engine.api.parsing import ParsedRequest
from engine.api.schemas import DeepStackAnswer, DetectionAnswer, Health, LocalAIAnswer, ModelList, ModelNames
from engine.api.service import Service, record_of
from engine.api.work import ImageResult, PictureFormat
from engine.detect.detection import Filter
from engine.paths import resource

router = APIRouter()
TOKENS = "X-Prompts-Token"


def service_of(request: Request) -> Service:
    """Return the service of the application that received the request."""
    return cast(Service, request.app.state.service)


@router.post("/v1/vision/detections", **docs.detections(DetectionAnswer))
async def detections(request: Request) -> Response:
    """Detect in every image of the last message, or in every uploaded file."""
    parsed = await _parsed(request)
    results = await service_of(request).answer(request, parsed, service_of(request).worker.detect_all)
    return JSONResponse(_answer(results, parsed.filter), headers=_tokens(request))


@router.post("/v1/vision/detect/visualize", **docs.visualize())
async def visualize(request: Request) -> Response:
    """Draw the detections on the last image."""
    return await _picture(request, await _parsed(request))


@router.get("/v1/vision/detect/preview", **docs.preview())
async def preview(request: Request) -> Response:
    """Draw the detections on the image behind a URL."""
    return await _picture(request, parsing.from_query(request.query_params, request.headers))


@router.post("/v1/vision/detection", **docs.deepstack(DeepStackAnswer))
async def deepstack(request: Request) -> Response:
    """Detect for clients of DeepStack."""
    service, body, headers = service_of(request), await _body(request), request.headers
    parts = await service.unpacked(body, lambda: parse_form(body, headers.get("content-type", "")))
    service.access.check_key(sent_key(headers) or parsing.form_key(parts))
    parsed = parsing.from_deepstack(parts, headers)
    (result,) = await service.answer(request, parsed, service.worker.detect_all)
    return JSONResponse({"success": True, "predictions": _deepstack(result, parsed.filter)}, headers=_tokens(request))


@router.post("/v1/detection", **docs.localai(LocalAIAnswer))
async def localai(request: Request) -> Response:
    """Detect for clients of LocalAI."""
    service, body = service_of(request), await _body(request)
    parsed = await service.unpacked(body, lambda: parsing.from_localai(body, request.headers))
    (result,) = await service.answer(request, parsed, service.worker.detect_all)
    return JSONResponse({"detections": _localai(result, parsed.filter)}, headers=_tokens(request))


@router.get("/models", **docs.plain("Every model that is served", ModelNames))
async def models(request: Request) -> Response:
    """List the models, loaded or not."""
    return JSONResponse({"loaded_models": list(service_of(request).models.names)})


@router.get("/v1/models", **docs.plain("The same list in OpenAI's shape", ModelList))
async def openai_models(request: Request) -> Response:
    """List the models in OpenAI's shape."""
    served = service_of(request).models
    data = [
        {"id": name, "object": "model", "created": served.created(name), "owned_by": "detrdesk"}
        for name in served.names
    ]
    return JSONResponse({"object": "list", "data": data})


@router.get("/health", **docs.plain("Whether the server can answer", Health, 503))
async def health(request: Request) -> Response:
    """Report whether a model is loaded or can be."""
    service = service_of(request)
    return JSONResponse(await asyncio.to_thread(service.models.health))


@router.get("/metrics", **docs.metrics())
async def metrics(request: Request) -> Response:
    """Report the metrics in Prometheus' text format."""
    return Response(service_of(request).metrics.text(), media_type="text/plain; version=0.0.4")


@router.get("/", include_in_schema=False)
async def page() -> Response:
    """Serve the page to try the API in a browser."""
    return FileResponse(resource("page", "index.html"), media_type="text/html")


@router.get("/docs", include_in_schema=False)
async def docs_page() -> Response:
    """Serve the documentation: a page that renders `/openapi.json` and needs no internet."""
    return FileResponse(resource("page", "docs.html"), media_type="text/html")


ENDPOINTS = frozenset(route.path for route in router.routes if isinstance(route, Route))


async def _body(request: Request) -> bytearray:
    """Read the body into one growing buffer, since joining its parts at the end takes long."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
    service_of(request).trimmer.after(record_of(request), len(body))
    return body


async def _parsed(request: Request) -> ParsedRequest:
    body, headers = await _body(request), request.headers
    content_type = headers.get("content-type", "")

    def read() -> ParsedRequest:
        if is_multipart(content_type):
            return parsing.from_upload(parse_form(body, content_type), headers)
        return parsing.from_chat(body, headers)

    return await service_of(request).unpacked(body, read)


async def _picture(request: Request, parsed: ParsedRequest) -> Response:
    service, format = service_of(request), _picture_format(request.headers.get("accept", ""))
    content = await service.answer(request, parsed, lambda task: service.worker.draw_last(task, format))
    headers = _tokens(request) | {"Vary": "Accept"}
    return Response(content, media_type=f"image/{format.lower()}", headers=headers)


def _picture_format(accept: str) -> PictureFormat:
    """Return PNG where the Accept header prefers it to JPEG."""
    weights = {"image/png": 0.0, "image/jpeg": 0.0}
    for part in accept.lower().split(","):
        kind, _, rest = part.strip().partition(";")
        if kind.strip() in weights:
            weights[kind.strip()] = _weight(rest)
    return "PNG" if weights["image/png"] > weights["image/jpeg"] else "JPEG"


def _weight(parameters: str) -> float:
    name, _, value = parameters.strip().partition("=")
    try:
        return float(value) if name.strip() == "q" else 1.0
    except ValueError:
        return 1.0


def _tokens(request: Request) -> dict[str, str]:
    return {TOKENS: str(record_of(request).tokens)}


def _answer(results: list[ImageResult], chosen: Filter) -> dict[str, Any]:
    answer = detections_answer([each.found for each in results], chosen)
    for prediction, each in zip(answer["predictions"], results, strict=True):
        prediction["timing_ms"] = {stage: round(ms, 2) for stage, ms in each.timing_ms.items()}
    return with_warnings(answer, [each.warnings for each in results])


def _deepstack(result: ImageResult, chosen: Filter) -> list[dict[str, Any]]:
    return [
        {"label": each.label, "confidence": shortest(each.score)}
        | dict(zip(("x_min", "y_min", "x_max", "y_max"), (int(edge) for edge in each.box), strict=True))
        for each in result.found.keep(chosen)
    ]


def _localai(result: ImageResult, chosen: Filter) -> list[dict[str, Any]]:
    return [
        {"x": xmin, "y": ymin, "width": shortest(xmax - xmin), "height": shortest(ymax - ymin)}
        | {"confidence": shortest(each.score), "class_name": each.label}
        for each in result.found.keep(chosen)
        for xmin, ymin, xmax, ymax in [tuple(shortest(edge) for edge in each.box)]
    ]
