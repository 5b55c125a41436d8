"""Remaining time as text."""

from __future__ import annotations

import math

from desktop.style.i18n import tr, tr_count

_MINUTE, _HOUR = 60, 3600


def time_left(seconds: float) -> str:
    """Return a duration in seconds as text, in a unit no finer than the estimate."""
    if seconds < _MINUTE:
        return tr_count("{count} second left", "{count} seconds left", math.ceil(seconds))
    if seconds < _HOUR:
        return tr_count("{count} minute left", "{count} minutes left", math.ceil(seconds / _MINUTE))
    hours, minutes = divmod(math.ceil(seconds / _MINUTE), 60)
    return tr("{hours} h {minutes} min left", hours=hours, minutes=minutes)
