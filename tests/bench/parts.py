"""
Parts: where the instructions of a good cookie that was never seen go (W1)
==========================================================================

::

    python tests/bench/parts.py

Each part is called by itself, with what it is called with in a request, beside
a call that does nothing, and frees what it makes; what is within another part is
taken off that one.  The last row is what W1 takes beyond all parts: the calls
between them, and freeing what one part makes for another.
"""
from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import measure
import workloads
from workloads import application, cookie, fresh_environ, handler

from paste_sessioncookie import encoding, headers
from paste_sessioncookie.admission import admit
from paste_sessioncookie.environ import Passage
from paste_sessioncookie.signer import PREFIX, TAG_DIGITS

Part = Callable[..., object]
EMPTY, W1, BARE = 'a call', 'W1', 'bare application'
HEADERS = [('Content-Type', 'text/plain'), ('Content-Length', '2')]
SITE = handler()


def nothing(*arguments: object) -> None:
    """What every part is compared with."""


def of_cookies(part: Part, prepare: Callable[[str], tuple[Any, ...]]) -> measure.Case:
    """A part, called for cookies that differ."""
    def case(count: int) -> tuple[Callable[[Any], object], list[Any]]:
        arguments = [prepare(cookie(SITE, number)) for number in range(count)]
        return partial(call, part, arguments[:]), arguments
    return case


def call(part: Part, kept: list[Any], arguments: tuple[Any, ...]) -> None:
    """``kept`` has all arguments: to free them is no part."""
    part(*arguments)


def text(value: str) -> str:
    return value[PREFIX:-1 - TAG_DIGITS]


def admitted(value: str) -> tuple[Any, ...]:
    """What a control is made of."""
    state = admit(SITE.policy, (value,), SITE.clock())
    state.payload.part('')
    return fresh_environ(value), state, SITE.environ_class(SITE, SITE.scanlist)


def passed(value: str) -> tuple[Any, ...]:
    environ, state, scanlist = admitted(value)
    return Passage(environ, state, scanlist), environ, False


CASES: dict[str, workloads.MakeCase] = {
    EMPTY: lambda: of_cookies(nothing, lambda value: (value,)),
    'header': lambda: of_cookies(
        SITE._find, lambda value: (fresh_environ(value)['HTTP_COOKIE'],)),
    'tag': lambda: of_cookies(
        SITE.signer.keys.current.tag, lambda value: (text(value).encode('ascii'),)),
    'grammar': lambda: of_cookies(
        encoding._START.match, lambda value: (text(value),)),
    'decode': lambda: of_cookies(encoding.decode, lambda value: (text(value),)),
    'unsign': lambda: of_cookies(
        SITE.signer.unsign, lambda value: (value, SITE.clock())),
    'admit': lambda: of_cookies(
        partial(admit, SITE.policy), lambda value: ((value,), SITE.clock())),
    'id': lambda: of_cookies(
        lambda payload: payload.part(''), lambda value: (encoding.decode(text(value)),)),
    'list': lambda: of_cookies(SITE.environ_class, lambda value: (SITE, SITE.scanlist)),
    'passage': lambda: of_cookies(Passage, admitted),
    'collect': lambda: of_cookies(Passage.collect, passed),
    'vary': lambda: of_cookies(headers.with_vary_cookie, lambda value: (HEADERS[:],)),
    BARE: workloads.bare,
    W1: lambda: workloads.unseen(application),
}


def rows() -> Iterator[list[str]]:
    counts = measure.instructions(__file__, CASES)
    one = {name: count - counts[EMPTY] for name, count in counts.items()}
    parts = {
        'finding the value in the header': one['header'],
        'the tag: HMAC-SHA256, keyed beforehand': one['tag'],
        'grammar of the payload: one regular expression': one['grammar'],
        'the payload from its parts': one['decode'] - one['grammar'],
        'key, comparing, times, keeping it': one['unsign'] - one['decode'] - one['tag'],
        "the login's time and revocation, the request's state":
            one['admit'] - one['unsign'],
        'the session ID: BLAKE2b, and its discreet string': one['id'],
        'scan list': one['list'],
        'control; environ, put in': one['passage'],
        'environ, read back': one['collect'],
        '``Vary`` and the list of headers': one['vary'],
    }
    parts['the calls between, and freeing'] = counts[W1] - counts[BARE] - sum(parts.values())
    for name, count in parts.items():
        yield [name, f'{count / 1000:.0f}']


def main() -> None:
    measure.run_if_asked(lambda name: CASES[name]())
    measure.print_table(['Part', 'thousands'], rows())


if __name__ == '__main__':
    main()
