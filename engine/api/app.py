"""The application: `uvicorn --factory engine.api.app:create_app`, `detrdesk serve`, and the window's switch."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse

from engine.api.body import BodyLimit
from engine.api.docs import openapi_document
from engine.api.errors import bug_response, error_response, from_http
from engine.api.guard import Guard
from engine.api.request_log import Listener, RequestLog, log_json, log_line, to_log
from engine.api.routes import ENDPOINTS, router
from engine.api.service import Service
from engine.api.work import Answered
from engine.detect.detection import Detections, Filter
from engine.engine import Engine
from engine.errors import EngineError
from engine.image.opened import OpenedImage
from engine.settings import Settings


def create_app(
    engine: Engine | None = None,
    settings: Settings | None = None,
    *,
    default_model: Callable[[], str] | None = None,
    listener: Listener | None = None,
    answered: Answered | None = None,
) -> FastAPI:
    """The application on an engine.

    Args:
        engine: Runs the models; without one the application makes its own, and closes it at its end.
        settings: Of the server, and of the engine where one is made; `None` takes the engine's, or the user's.
        default_model: Returns the model of requests that name none.
        listener: Receives the record of each request, on the event loop; `None` writes them to the log.
        answered: Receives each image with its detections, in a worker thread.

    Raises:
        EngineError: a setting or a model that it names cannot be used.
    """
    engine_in_use = engine or Engine(settings)
    rules = settings or engine_in_use.settings
    default = default_model or (lambda: engine_in_use.default_model)
    service = Service(engine_in_use, rules, default, answered or _unheard)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        try:
            yield
        finally:
            await service.close()
            if engine is None:
                engine_in_use.close()

    app = FastAPI(title="detrdesk", docs_url=None, redoc_url=None, lifespan=lifespan)
    app.state.service = service
    app.include_router(router)
    app.add_exception_handler(EngineError, _on_engine_error)
    app.add_exception_handler(HTTPException, _on_http_error)
    line = log_json if rules.log_json else log_line
    app.add_middleware(BodyLimit, limit=rules.max_body_bytes)
    app.add_middleware(Guard, access=service.access)
    app.add_middleware(RequestLog, endpoints=ENDPOINTS, metrics=service.metrics, listener=listener or to_log(line))
    app.openapi = lambda: openapi_document(app)  # type: ignore[method-assign]
    return app


async def _on_engine_error(request: Request, error: Exception) -> JSONResponse:
    return error_response(error, request.url.path) if isinstance(error, EngineError) else bug_response(error)


async def _on_http_error(request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, HTTPException):
        return bug_response(error)
    answer = error_response(from_http(error), request.url.path)
    answer.headers.update(error.headers or {})
    return answer


def _unheard(image: OpenedImage, found: Detections, chosen: Filter) -> None:
    """The default listener: ignores images."""
