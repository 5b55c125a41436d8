"""After a request that took much memory, the memory goes back to the system."""

from __future__ import annotations

import asyncio
import threading

from engine.api.request_log import Record
from engine.inference.model_pool import free_memory

_MUCH = 16 * 1024 * 1024
_TOKEN_BYTES = 784 * 4
"""Of a decoded image: Pillow takes 4 bytes a pixel."""

_WAIT_SECONDS = 0.5


class Tidying:
    """Waits a moment, so that the request has let go of everything and many requests cost one round."""

    def __init__(self) -> None:
        self._is_planned = False

    def after(self, record: Record, body: int = 0) -> None:
        """A request is over; called on the event loop.

        Args:
            record: What it had looked at.
            body: Its bytes.
        """
        if not self._is_planned and body + record.tokens * _TOKEN_BYTES > _MUCH:
            self._is_planned = True
            asyncio.get_running_loop().call_later(_WAIT_SECONDS, self._tidy)

    def _tidy(self) -> None:
        self._is_planned = False
        threading.Thread(target=free_memory, name="api-tidy", daemon=True).start()
