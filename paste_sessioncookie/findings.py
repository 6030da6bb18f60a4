"""
The site: all its filters together, and what can be said of them
================================================================

What the rules of a checkup look at, and the form of what they say.
"""
from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from .filters import SESSION, Filter, judged, kind_of
from .wiring import Part, Place, Way, Wiring

LEVELS = ('error', 'warning', 'note')

# of another egg, by its factory: sets SCRIPT_NAME
PREFIX = ('paste.deploy.config:make_prefix_middleware', 'egg:PasteDeploy#prefix')


class Finding(NamedTuple):
    """Something that is wrong, or may be."""

    level: str
    place: Place
    option: str  # '' where it is not about one
    problem: str
    consequence: str
    remedy: str


class Site(NamedTuple):
    """All that a checkup looks at."""

    wirings: Sequence[Wiring]
    ways: list[tuple[list[Filter], Way]]  # our filters of each way, the outermost first
    filters: list[Filter]                 # of sections that are used, once each
    unused: list[Filter]

    @property
    def sessions(self) -> list[Filter]:
        """The outer filters that could be made."""
        return [each for each in self.filters if each.kind == SESSION and not each.faults]


def site_of(wirings: Sequence[Wiring]) -> Site:
    """What several files, of one site, say together."""
    known: dict[object, Filter] = {}

    def once(part: Part) -> Filter:
        found = judged(part)
        return known.setdefault((found.key, part.mount), found)

    ways = [([once(part) for part in way.filters if kind_of(part)], way)
            for wiring in wirings for way in wiring.ways]
    used = list({each.key: each for each in known.values()}.values())
    unused = [judged(part) for wiring in wirings for part in wiring.unused if kind_of(part)]
    return Site(wirings, ways, used, unused)


def reads(one: Filter, other: Filter) -> bool:
    """Whether ``one`` accepts the cookies of ``other``."""
    value = other.handler.signer.sign('')
    return one.handler.signer.auth(value) is not None


def place_of(one: Filter) -> str:
    return f'[{one.place.section}] in {one.place.file}'


def is_one_of(part: Part, names: Iterable[str]) -> bool:
    return any(text.startswith(name) for name in names
               for text in (part.factory.target, part.factory.text))


def shown(app: Part) -> str:
    return f'{app.name} ({app.mount})'
