"""
Cache: what was found out before, within bounds
===============================================

A browser sends the same cookie with every request.  What it says is found out
once, and kept: never a failure, and never more than so many cookies and so
many characters.

A text is found by its end, so that a long one need not be hashed whole.  A cookie ends
with its tag, a signed login with its signature: two that are good hardly ever end alike,
and the whole is compared all the same.
"""
from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

Found = TypeVar('Found', bound=tuple[Any, ...])

END = 16           # characters: the last 64 bits of a tag, 88 of a signature
MOST_TEXTS = 1024
# of texts; what they say takes about three times as much, and up to twenty times where all
# of 32 sections were asked for
MOST_CHARACTERS = 1 << 20


class Cache(dict[str, Found]):
    """
    What a function finds out of texts: tuples, and the text is the first of each.

    There are two generations.  When the younger one has half of what there may
    be, it becomes the older one, and what was the older one is forgotten; what
    is asked for meanwhile is young again.  Threads may share it: the worst that
    can happen is that something is found out twice.
    """

    __slots__ = ('_function', '_most_texts', '_most_characters', '_older', '_characters')

    def __init__(self, function: Callable[[str], Found], most_texts: int = MOST_TEXTS,
                 most_characters: int = MOST_CHARACTERS) -> None:
        """``most_texts`` = 0: nothing is kept."""
        super().__init__()
        self._function = function
        self._most_texts = most_texts // 2
        self._most_characters = most_characters // 2
        self._older: dict[str, Found] = {}
        self._characters = 0   # of the younger generation

    def __repr__(self) -> str:
        # debug pages show the locals of every frame; what is kept is a visitor's
        return f'<Cache of {len(self)} texts>'

    def find(self, text: str) -> Found:
        """What the function says, or has said, of a text.  What it raises is not kept."""
        end = text[-END:]
        found = self.get(end)
        if found is None or found[0] != text:
            found = self.find_out(text, end)
        return found

    def find_out(self, text: str, end: str) -> Found:
        """Likewise, of a text with this end that is not among the young."""
        found = self._older.get(end)
        if found is None or found[0] != text:
            found = self._function(text)
        if self._most_texts:
            self._characters += len(text)
            if len(self) >= self._most_texts or self._characters > self._most_characters:
                self._older = dict(self)
                self.clear()
                self._characters = len(text)
            self[end] = found
        return found
