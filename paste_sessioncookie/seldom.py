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
    """
    Says when a line is due, and for how many occasions it stands.

    Constructor argument: a clock that gives seconds and is never set back.  For several
    threads.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._quiet_until = monotonic()
        self._occasions = 0   # since the last line

    def due(self) -> int:
        """0, or, if it is time for a line, how many occasions there were since the last
        one; the next line is due in a minute."""
        with self._lock:
            self._occasions += 1
            now = self._monotonic()
            if now < self._quiet_until:
                return 0
            self._quiet_until = now + LOG_EVERY
            occasions, self._occasions = self._occasions, 0
            return occasions
