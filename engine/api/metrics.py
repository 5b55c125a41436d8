"""Prometheus metrics; each server has its own registry."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class Metrics:
    """Requests, stages, queue, images and tokens of one server."""

    def __init__(self, queue_depth: Callable[[], int]) -> None:
        """Count for one server.

        Args:
            queue_depth: Returns the number of waiting images.
        """
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "detrdesk_requests", "Requests answered.", ("endpoint", "status"), registry=self._registry
        )
        self._stages = Histogram(
            "detrdesk_stage_seconds", "Seconds by stage.", ("stage",), buckets=_BUCKETS, registry=self._registry
        )
        self._images = Counter("detrdesk_images", "Images looked at.", registry=self._registry)
        self._tokens = Counter("detrdesk_tokens", "Tokens of those images.", registry=self._registry)
        depth = Gauge("detrdesk_queue_depth", "Images that wait for their turn.", registry=self._registry)
        depth.set_function(queue_depth)

    def count_request(self, endpoint: str, status: int, images: int, tokens: int) -> None:
        """Count a request that was answered."""
        self._requests.labels(endpoint, str(status)).inc()
        self._images.inc(images)
        self._tokens.inc(tokens)

    def observe(self, stage: str, seconds: float) -> None:
        """Record the duration of a stage: fetch, decode, queue, model or encode."""
        self._stages.labels(stage).observe(max(seconds, 0.0))

    def text(self) -> bytes:
        """Return the metrics in Prometheus' text format."""
        return generate_latest(self._registry)
