"""
Growth: what makes a request dearer, and how much memory it takes
=================================================================

::

    python tests/bench/growth.py

How many times as much a request costs (instructions over the bare application,
under valgrind) with ten accepted secrets, forty foreign cookies, a cookie of
4 KB, thirty-two sections in it, or a hostile header; what a whole request
costs under waitress; and, by ``tracemalloc``, what a request and an instance
take in memory.
"""
from __future__ import annotations

import gc
import socket
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from typing import Any

import measure
import workloads
from waitress.server import create_server
from workloads import (
    FOREIGN, MakeCase, application, cookie, fresh_environ, handler, never_seen, requests, seen,
    unseen)

from paste_sessioncookie import Namespace, SessionCookieHandler
from paste_sessioncookie.encoding import Section

SECRETS = [f'another secret of this site, number {number}' for number in range(10)]
FORTY = [f'foreign{number}=what a neighbour keeps: {number * 97}' for number in range(40)]
ALMOST_4_KB = 'list=compact; ' * 265
SECTIONS = {name: Section('', {'weblog.theme': 'dark'}) for name in
            ['/blog', *(f'/application{number}' for number in range(31))]}
HOSTILE = f'{workloads.NAME}=1.;' * 10


def accepted(count: int) -> measure.Case:
    """A cookie signed with the last of so many accepted secrets."""
    old = SessionCookieHandler(application, workloads.NAME, secret=SECRETS[count - 1])
    return requests(handler(accept_secrets=SECRETS[:count]), never_seen(old))


def foreign(cookies: list[str]) -> measure.Case:
    site = handler()
    return requests(site, never_seen(site), foreign=cookies)


def sections(count: int, make: MakeCase) -> measure.Case:
    return make(Namespace(application), sections=dict(list(SECTIONS.items())[:count]))


def hostile(length: int) -> measure.Case:
    """A header of so many characters, with our name all over it."""
    return requests(handler(issue='kept'), [''], foreign=[HOSTILE * (length // len(HOSTILE))])


def waitress(inside: workloads.Application) -> measure.Case:
    """Whole requests over a socket, the client's part included."""
    def case(count: int) -> tuple[Callable[[bytes], object], list[bytes]]:
        server = create_server(inside, listen='127.0.0.1:0', threads=2)
        threading.Thread(target=server.run, daemon=True).start()
        client = socket.create_connection(('127.0.0.1', server.effective_port))

        def request(text: bytes) -> None:
            client.sendall(text)
            answer = client.recv(65536)
            while not answer.endswith(b'ok'):
                answer += client.recv(65536)

        value = cookie(handler())
        return request, [_as_text(fresh_environ(value)) for _ in range(count)]
    return case


def _as_text(environ: workloads.Environ) -> bytes:
    lines = [f'{environ["REQUEST_METHOD"]} {environ["PATH_INFO"]} HTTP/1.1']
    lines += [f'{key[5:].replace("_", "-")}: {value}' for key, value in environ.items()
              if key.startswith('HTTP_')]
    return '\r\n'.join([*lines, '', '']).encode('latin-1')


BARE = 'bare application'
BARE_WAITRESS = 'waitress, bare application'
CASES: dict[str, MakeCase] = {
    BARE: workloads.bare,
    'one accepted secret': lambda: accepted(1),
    'ten accepted secrets': lambda: accepted(10),
    'two foreign cookies': lambda: foreign(list(FOREIGN)),
    'forty foreign cookies': lambda: foreign(FORTY),
    'no value': unseen,
    'a cookie of 4 KB': lambda: unseen(value=ALMOST_4_KB),
    'no value, verified before': seen,
    'a cookie of 4 KB, verified before': lambda: seen(value=ALMOST_4_KB),
    'one section': lambda: sections(1, unseen),
    '32 sections': lambda: sections(32, unseen),
    'one section, verified before': lambda: sections(1, seen),
    '32 sections, verified before': lambda: sections(32, seen),
    'a hostile header of 4 KB': lambda: hostile(4_000),
    'a hostile header of 16 KB': lambda: hostile(16_000),
    BARE_WAITRESS: lambda: waitress(application),
    'waitress, session_cookie, verified before': lambda: waitress(handler()),
}
PAIRS = [(one, many) for one, many in zip(list(CASES)[1::2], list(CASES)[2::2])]


def growth() -> Iterator[list[str]]:
    results = measure.instructions(__file__, CASES)
    for one, many in PAIRS:
        bare = 0 if one == BARE_WAITRESS else results[BARE]
        few, more = results[one] - bare, results[many] - bare
        yield [one, str(few), many, str(more), f'{more / few:.2f}']


def memory() -> Iterator[list[str]]:
    """Bytes, by tracemalloc."""
    sites = [handler(), handler(Namespace(application))]
    bare, *ours = [workloads.bare(), *(requests(site, [cookie(site)]) for site in sites)]
    tracemalloc.start()
    nothing, one, two = (_most_in_use(*case(200)) for case in (bare, *ours))
    yield ['a request, session_cookie', str(one - nothing)]
    yield ['a request, session_cookie and namespace', str(two - nothing)]
    gc.collect()
    gc.disable()
    _most_in_use(*ours[1](200))
    yield ['objects that only the garbage collector finds', str(gc.collect())]
    before = tracemalloc.get_traced_memory()[0]
    instances = [handler() for _ in range(20)]
    taken = tracemalloc.get_traced_memory()[0] - before
    yield ['an instance', str(taken // len(instances))]


def _most_in_use(request: Callable[[Any], object], environs: list[Any]) -> int:
    """The peak over what is in use before, in the last of many requests."""
    for environ in environs[1:]:
        request(environ)
    tracemalloc.reset_peak()
    before = tracemalloc.get_traced_memory()[0]
    request(environs[0])
    return tracemalloc.get_traced_memory()[1] - before


def main() -> None:
    measure.run_if_asked(lambda name: CASES[name](), warm_up=100)
    measure.print_table(['bytes', ''], memory())
    measure.print_table(['from', 'instr.', 'to', 'instr.', 'times'], growth())


if __name__ == '__main__':
    main()
