"""
Seldom: what is logged once a minute at most
============================================

An outage is a line a minute, not a line a request; and what a visitor can bring
about does not fill the log.
"""
from __future__ import annotations

import threading
import time
from collections.abc import Callable

LOG_EVERY = 60  # seconds


class Seldom:
    """Says when a line is due.  Constructor argument: a clock that gives seconds
    and is never set back.  For several threads."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._quiet_until = monotonic()

    def due(self) -> bool:
        """Whether to log now; if so, the next line is due in a minute."""
        with self._lock:
            now = self._monotonic()
            if now < self._quiet_until:
                return False
            self._quiet_until = now + LOG_EVERY
            return True
