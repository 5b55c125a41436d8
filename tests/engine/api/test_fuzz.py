"""Anything at all in bodies and headers: an answer in the contract's shape, never a bug."""

from __future__ import annotations

import json
import logging
from typing import Any

import hypothesis
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.engine.api.conftest import DEEPSTACK, DETECTIONS, LOCALAI, VISUALIZE, Service, base64_item, image_bytes

ALLOWED = {200, 400, 403, 404, 413, 415, 422, 502, 503, 504}
ITEM = base64_item(image_bytes(size=(32, 24)))

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
items = st.one_of(
    st.just(ITEM),
    json_values,
    st.fixed_dictionaries({"type": st.sampled_from(["image_url", "image_base64", "text"]), "image_url": json_values}),
    st.builds(
        lambda kind, url: {"type": kind, "image_url": {"url": url}},
        st.sampled_from(["image_url", "image_base64"]),
        st.text(max_size=40) | st.sampled_from(["data:,x", "data:;base64,QUJD", "http://127.0.0.1:1/", "http://[::1"]),
    ),
)
bodies = st.fixed_dictionaries(
    {"messages": json_values | st.lists(st.fixed_dictionaries({"content": json_values | st.lists(items, max_size=3)}))},
    optional={"model": json_values, "top_k": json_values, "threshold": json_values, "labels": json_values},
)
header_text = st.text(st.characters(min_codepoint=33, max_codepoint=255, exclude_categories=["Cc"]), max_size=20)
headers = st.fixed_dictionaries(
    {}, optional={"X-Model": header_text, "X-Detr-Threshold": header_text, "Accept": header_text}
)
fuzz = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True
)


def check(answer: Any) -> None:
    assert answer.status_code in ALLOWED, answer.text
    if answer.status_code != 200:
        assert answer.json()["error"]["message"] == answer.json()["detail"]
        assert len(answer.content) < 2048


@fuzz
@given(path=st.sampled_from([DETECTIONS, VISUALIZE, LOCALAI]), body=bodies | json_values, headers=headers)
def test_any_json_in_any_headers(service: Service, path: str, body: Any, headers: dict[str, str]) -> None:
    sent = {name: value.encode("latin-1") for name, value in headers.items()}
    check(service.http.post(path, content=json.dumps(body).encode(), headers=sent))


@fuzz
@given(
    path=st.sampled_from([DETECTIONS, VISUALIZE, DEEPSTACK, LOCALAI]),
    body=st.binary(max_size=300),
    kind=st.sampled_from(["application/json", "multipart/form-data; boundary=b", "text/plain", "multipart/form-data"]),
    frame=st.booleans(),
)
def test_any_bytes(service: Service, path: str, body: bytes, kind: str, frame: bool) -> None:
    content = b'--b\r\nContent-Disposition: form-data; name="file"; filename="' + body if frame else body
    check(service.http.post(path, content=content, headers={"Content-Type": kind}))


def test_the_answers_keep_to_the_document(service: Service) -> None:
    """schemathesis: no 5xx but 502, 503 and 504, and every answer as the document has it."""
    logging.getLogger("schemathesis").setLevel(logging.WARNING)
    document = schemathesis.openapi.from_dict(service.http.get("/openapi.json").json())
    checked = 0
    for operation in document.get_all_operations():
        call = operation.ok()

        @hypothesis.seed(1)
        @settings(max_examples=12, deadline=None, database=None, suppress_health_check=list(HealthCheck))
        @given(case=call.as_strategy())
        def keeps_to_it(case: Any) -> None:
            nonlocal checked
            answer = case.call(base_url=service.url, timeout=20)
            assert answer.status_code < 500 or answer.status_code in {502, 503, 504}, answer.text
            assert str(answer.status_code) in case.operation.definition.raw["responses"], answer.status_code
            case.operation.validate_response(answer)
            checked += 1

        keeps_to_it()
    assert checked >= 60
