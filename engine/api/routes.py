"""The endpoints."""

from __future__ import annotations

import asyncio
from typing import Any, cast

from fastapi import APIRouter
from fastapi.responses import FileResponse, JSONResponse, Response
from starlette.requests import Request
from starlette.routing import Route

from engine.answer import detections_answer, shortest, with_warnings
from engine.api import docs, question
from engine.api.access import sent_key
from engine.api.forms import is_multipart, parse_form
from engine.api.question import Question
from engine.api.schemas import DeepStackAnswer, DetectionAnswer, Health, LoadedModels, LocalAIAnswer, ModelList
from engine.api.service import Service, record_of
from engine.api.work import PictureFormat, Seen
from engine.detect.detection import Filter
from engine.paths import resource

router = APIRouter()
TOKENS = "X-Prompts-Token"


def service_of(request: Request) -> Service:
    """The service of the application that got the request."""
    return cast(Service, request.app.state.service)


@router.post("/v1/vision/detections", **docs.detections(DetectionAnswer))
async def detections(request: Request) -> Response:
    """Detect in every image of the last message, or in every uploaded file."""
    asked = await _question(request)
    seen = await service_of(request).answer(request, asked, service_of(request).worker.detect_all)
    return JSONResponse(_answer(seen, asked.chosen), headers=_tokens(request))


@router.post("/v1/vision/detect/visualize", **docs.visualize())
async def visualize(request: Request) -> Response:
    """The last image with what was found drawn on it."""
    return await _picture(request, await _question(request))


@router.get("/v1/vision/detect/preview", **docs.preview())
async def preview(request: Request) -> Response:
    """The image behind a URL with what was found drawn on it."""
    return await _picture(request, question.from_query(request.query_params, request.headers))


@router.post("/v1/vision/detection", **docs.deepstack(DeepStackAnswer))
async def deepstack(request: Request) -> Response:
    """Detect as DeepStack does."""
    service, body, headers = service_of(request), await _body(request), request.headers
    parts = await service.unpacked(body, lambda: parse_form(body, headers.get("content-type", "")))
    service.access.check_key(sent_key(headers) or question.form_key(parts))
    asked = question.from_deepstack(parts, headers)
    (seen,) = await service.answer(request, asked, service.worker.detect_all)
    return JSONResponse({"success": True, "predictions": _deepstack(seen, asked.chosen)}, headers=_tokens(request))


@router.post("/v1/detection", **docs.localai(LocalAIAnswer))
async def localai(request: Request) -> Response:
    """Detect as LocalAI does."""
    service, body = service_of(request), await _body(request)
    asked = await service.unpacked(body, lambda: question.from_localai(body, request.headers))
    (seen,) = await service.answer(request, asked, service.worker.detect_all)
    return JSONResponse({"detections": _localai(seen, asked.chosen)}, headers=_tokens(request))


@router.get("/models", **docs.plain("Every model that is served", LoadedModels))
async def models(request: Request) -> Response:
    """The names of the models, loaded yet or not."""
    return JSONResponse({"loaded_models": list(service_of(request).models.names)})


@router.get("/v1/models", **docs.plain("The same list in OpenAI's shape", ModelList))
async def openai_models(request: Request) -> Response:
    """The models, as OpenAI's clients list them."""
    served = service_of(request).models
    data = [
        {"id": name, "object": "model", "created": served.created(name), "owned_by": "detrdesk"}
        for name in served.names
    ]
    return JSONResponse({"object": "list", "data": data})


@router.get("/health", **docs.plain("Whether the server can answer", Health, 503))
async def health(request: Request) -> Response:
    """Whether a model is loaded or can be."""
    service = service_of(request)
    return JSONResponse(await asyncio.to_thread(service.models.health))


@router.get("/metrics", **docs.metrics())
async def metrics(request: Request) -> Response:
    """What was counted, for Prometheus."""
    return Response(service_of(request).metrics.text(), media_type="text/plain; version=0.0.4")


@router.get("/", include_in_schema=False)
async def page() -> Response:
    """A page for people without a client."""
    return FileResponse(resource("page", "index.html"), media_type="text/html")


@router.get("/docs", include_in_schema=False)
async def docs_page() -> Response:
    """The documentation, made from `/openapi.json` by a page that needs no internet."""
    return FileResponse(resource("page", "docs.html"), media_type="text/html")


ENDPOINTS = frozenset(route.path for route in router.routes if isinstance(route, Route))


async def _body(request: Request) -> bytearray:
    """The body; it grows as it arrives, for to join its parts at the end would take long."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
    service_of(request).tidying.after(record_of(request), len(body))
    return body


async def _question(request: Request) -> Question:
    body, headers = await _body(request), request.headers
    content_type = headers.get("content-type", "")

    def read() -> Question:
        if is_multipart(content_type):
            return question.from_upload(parse_form(body, content_type), headers)
        return question.from_chat(body, headers)

    return await service_of(request).unpacked(body, read)


async def _picture(request: Request, asked: Question) -> Response:
    service, format = service_of(request), _picture_format(request.headers.get("accept", ""))
    content = await service.answer(request, asked, lambda task: service.worker.draw_last(task, format))
    headers = _tokens(request) | {"Vary": "Accept"}
    return Response(content, media_type=f"image/{format.lower()}", headers=headers)


def _picture_format(accept: str) -> PictureFormat:
    """PNG where the client prefers it to JPEG."""
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


def _answer(seen: list[Seen], chosen: Filter) -> dict[str, Any]:
    answer = detections_answer([each.found for each in seen], chosen)
    for prediction, each in zip(answer["predictions"], seen, strict=True):
        prediction["timing_ms"] = {stage: round(ms, 2) for stage, ms in each.timing_ms.items()}
    return with_warnings(answer, [each.warnings for each in seen])


def _deepstack(seen: Seen, chosen: Filter) -> list[dict[str, Any]]:
    return [
        {"label": each.label, "confidence": shortest(each.score)}
        | dict(zip(("x_min", "y_min", "x_max", "y_max"), (int(edge) for edge in each.box), strict=True))
        for each in seen.found.keep(chosen)
    ]


def _localai(seen: Seen, chosen: Filter) -> list[dict[str, Any]]:
    return [
        {"x": xmin, "y": ymin, "width": shortest(xmax - xmin), "height": shortest(ymax - ymin)}
        | {"confidence": shortest(each.score), "class_name": each.label}
        for each in seen.found.keep(chosen)
        for xmin, ymin, xmax, ymax in [tuple(shortest(edge) for edge in each.box)]
    ]
