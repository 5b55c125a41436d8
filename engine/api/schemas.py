"""What goes over the wire, as the OpenAPI document tells it and as JSON bodies are checked."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, StrictStr, Tag

IMAGE_TYPES = ("image_url", "image_base64")
ITEM_KINDS = _IMAGE, _OTHER = ("image", "other")
_URL_EXAMPLE = "https://images.example.com/parcel.jpg"
_BASE64_EXAMPLE = "R0lGODdhAQABAIEAAP///wAAAAAAAAAAACwAAAAAAQABAAAIBAABBAQAOw=="


def _whole(value: object) -> object:
    """JSON knows one kind of number: 5.0 is 5. True is not a number."""
    if isinstance(value, bool) or not isinstance(value, int | float) or (isinstance(value, float) and value % 1):
        raise ValueError("give a whole number")
    return int(value) if math.isfinite(value) else value


def _number(value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("give a number")
    return value


TopK = Annotated[int, BeforeValidator(_whole), Field(ge=1, description="Keep the k best of each image.")]
Threshold = Annotated[
    float,
    BeforeValidator(_number),
    Field(ge=0, le=1, allow_inf_nan=False, description="Keep scores greater than this."),
]
ModelName = Annotated[StrictStr, Field(description="One of `GET /models`; the default model where none is named.")]


class ImagePayload(BaseModel):
    """Where an image is: an http(s) URL, a `data:` URI, or base64."""

    url: StrictStr = Field(examples=[_URL_EXAMPLE])


class ImageItem(BaseModel):
    """An image of a message; items of other types are passed over."""

    type: Literal["image_url", "image_base64"]
    image_url: ImagePayload


class OtherItem(BaseModel):
    """What else a message may hold, text for instance; it is passed over."""

    type: StrictStr | None = Field(default=None, json_schema_extra={"not": {"enum": list(IMAGE_TYPES)}})


def _kind(item: object) -> str:
    kind = item.get("type") if isinstance(item, dict) else getattr(item, "type", None)
    return _IMAGE if kind in IMAGE_TYPES else _OTHER


Item = Annotated[Annotated[ImageItem, Tag(_IMAGE)] | Annotated[OtherItem, Tag(_OTHER)], Discriminator(_kind)]


class Message(BaseModel):
    """A message; only the last one counts."""

    role: str = Field(default="user")
    content: list[Item] = Field(min_length=1, fail_fast=True)


class DetectionRequest(BaseModel):
    """A detection request in the shape of OpenAI's chat requests."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "model": "starter",
                    "top_k": 5,
                    "messages": [
                        {"role": "user", "content": [{"type": "image_url", "image_url": {"url": _URL_EXAMPLE}}]}
                    ],
                },
                {
                    "threshold": 0.5,
                    "messages": [
                        {"role": "user", "content": [{"type": "image_base64", "image_url": {"url": _BASE64_EXAMPLE}}]}
                    ],
                },
            ]
        }
    )

    messages: list[Message] = Field(min_length=1)
    model: ModelName | None = None
    top_k: TopK | None = None
    threshold: Threshold | None = None
    labels: list[StrictStr] | None = Field(default=None, fail_fast=True, description="Keep only these classes.")


class LocalAIRequest(BaseModel):
    """A detection request of LocalAI's clients."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"model": "starter", "image": _URL_EXAMPLE}]})

    image: StrictStr = Field(description="An http(s) URL, a `data:` URI, or base64.", examples=[_URL_EXAMPLE])
    model: ModelName | None = None
    threshold: Threshold | None = None


class UploadForm(BaseModel):
    """Images as files of a form."""

    file: list[bytes] = Field(json_schema_extra={"items": {"type": "string", "format": "binary"}})
    model: str | None = None
    threshold: Threshold | None = None
    top_k: TopK | None = None


class DeepStackForm(BaseModel):
    """A detection request of DeepStack's clients."""

    image: bytes = Field(json_schema_extra={"type": "string", "format": "binary"})
    min_confidence: Threshold | None = None
    api_key: str | None = Field(default=None, description="Counts as the key.")


class Result(BaseModel):
    """One detection."""

    score: float = Field(ge=0, le=1)
    label_id: int
    label: str
    bbox: list[float] = Field(
        min_length=4, max_length=4, description="xmin, ymin, xmax, ymax, pixels of the image as shown."
    )


class Prediction(BaseModel):
    """What was found in one image, best score first."""

    index: int
    result: list[Result]
    width: int
    height: int
    tokens: int
    timing_ms: dict[str, float]


class DetectionAnswer(BaseModel):
    """The answer, an entry for each image in order."""

    object: Literal["detection"]
    model: str
    top_k: int | None
    threshold: float
    predictions: list[Prediction]


class DeepStackPrediction(BaseModel):
    """One detection as DeepStack tells it; pixels."""

    label: str
    confidence: float
    x_min: int
    y_min: int
    x_max: int
    y_max: int


class DeepStackAnswer(BaseModel):
    """The answer as DeepStack gives it, best first."""

    success: Literal[True]
    predictions: list[DeepStackPrediction]


class LocalAIDetection(BaseModel):
    """One detection as LocalAI tells it; x and y are the top left corner, pixels."""

    x: float
    y: float
    width: float
    height: float
    confidence: float
    class_name: str


class LocalAIAnswer(BaseModel):
    """The answer as LocalAI gives it."""

    detections: list[LocalAIDetection]


class ModelNames(BaseModel):
    """Every model that is served."""

    loaded_models: list[str]


class ModelEntry(BaseModel):
    """A model as OpenAI's list tells it."""

    id: str
    object: Literal["model"]
    created: int
    owned_by: str


class ModelList(BaseModel):
    """OpenAI's list of models."""

    object: Literal["list"]
    data: list[ModelEntry]


class Health(BaseModel):
    """Whether the server can answer."""

    status: Literal["ok"]
    model: dict[str, dict[str, Any]]
    device: str


class ErrorBody(BaseModel):
    """What went wrong, and what to do about it."""

    message: str
    type: str
    param: str | None
    code: str


class ErrorAnswer(BaseModel):
    """OpenAI's envelope, with `detail` for older clients."""

    error: ErrorBody
    detail: str


class DeepStackError(ErrorAnswer):
    """An error as DeepStack's clients expect it."""

    success: Literal[False]
