"""The same conversation with each server::

    python tests/servers/run.py [names]

prints what came of each case.  ``*``: not what is expected.
"""
from __future__ import annotations

import importlib.metadata
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))  # attack_wire and surroundings are there

import attack_wire  # noqa: E402
from attack_corpus import Case  # noqa: E402
from conversation import CASES  # noqa: E402
from process import Site  # noqa: E402
from table import SERVERS, Server  # noqa: E402

GOOD = 'bob'   # who comes in good faith in the corpus


def expected(server: Server, case: Callable[[Site], str]) -> str:
    """The outcome of a case."""
    return server.differs.get(case.__name__, CASES[case])


def is_installed(server: Server) -> bool:
    try:
        importlib.metadata.distribution(server.needs)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def attack(site: Site) -> Iterator[str]:
    """Send the attack corpus to a server that runs: what is wrong, a line each."""
    handed_on = []
    for case in attack_wire.sendable():
        header = case.cookie_header_bytes(time.time(), site.secret, attack_wire.PAGE)
        if site.server.changes.search(header):
            yield from judge(case, attack_wire.ask(('127.0.0.1', site.port), header))
        else:
            handed_on.append(case)
    faults, _ = attack_wire.attack(('127.0.0.1', site.port), site.secret, handed_on)
    yield from faults


def judge(case: Case, answer: tuple[int, list[str], str] | None) -> Iterator[str]:
    """What a server does to a header may cost a login, and never give another."""
    if answer is not None:
        status, _, page = answer
        user = attack_wire.seen_on(page)['user'] if status == 200 else status
        if user not in (None, GOOD, case.expect.user):
            yield f'{case.name}: {user}'


def outcome(site: Site, case: Callable[[Site], str]) -> str:
    try:
        return case(site)
    except Exception as error:
        return f'{type(error).__name__}: {error}'.splitlines()[0][:60]


def converse(server: Server) -> int:
    """Print a server's part of the table; how many outcomes are not expected."""
    surprises = 0
    with tempfile.TemporaryDirectory() as folder, Site(server, Path(folder)) as site:
        print(f'{server.name}: {server.command}')
        for case in CASES:
            came, wanted = outcome(site, case), expected(server, case)
            surprises += came != wanted
            print(f' {" *"[came != wanted]} {case.__name__.replace("_", " "):18} {came}')
        for fault in attack(site):
            surprises += 1
            print(f' * {fault}')
    return surprises


def main(names: list[str]) -> int:
    """How many outcomes are not expected."""
    unknown = set(names) - {server.name for server in SERVERS}
    if unknown:
        sys.exit(f'no such server: {", ".join(sorted(unknown))}')
    surprises = 0
    for server in SERVERS:
        if names and server.name not in names:
            continue
        if is_installed(server):
            surprises += converse(server)
        else:
            print(f'{server.name}: not installed (pip install {server.needs})')
    return surprises


if __name__ == '__main__':
    sys.exit(bool(main(sys.argv[1:])))
