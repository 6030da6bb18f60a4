"""
Parts: where the instructions of a request go
=============================================

::

    python tests/bench/parts.py [--record]

One request of each workload is gone through by hand, step by step; each step is counted
where it is reached, by itself, beside a call that does nothing, and frees what it makes.
What is within another step is taken off that one.  What the whole request takes beyond all
steps are the calls between them, and freeing what one makes for another.  It takes three
minutes; ``--record`` writes the table that the manual reads.
"""
from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Generator, Iterable, Iterator
from functools import partial
from typing import Any, NamedTuple

import measure
import speed
import workloads
from workloads import KILOBYTE, OURS, cookie, fresh_environ, handler, never_seen

from paste_sessioncookie import encoding, headers
from paste_sessioncookie.admission import admit
from paste_sessioncookie.cookie import SessionCookieHandler
from paste_sessioncookie.environ import Environ, Passage
from paste_sessioncookie.signer import PREFIX, TAG_DIGITS

Step = tuple[str, Callable[..., Any], tuple[Any, ...]]  # name, function, arguments
HEADERS = [('Content-Type', 'text/plain'), ('Content-Length', '2')]
NOTHING, BARE = 'a call', 'bare application'
REST, WHOLE, FLOOR = 'the calls between, and freeing', 'all', 'FLOOR, all'
TABLE = speed.TABLES.with_name('speed-parts.inc')

#: each step, by its name: what it is, and within which other one
STEPS = {
    'find': ('finding the value in the header', ''),
    'admit': ("the login's time and revocation; the request's state, or a fresh one", ''),
    'unsign': ('key, comparing, times, keeping it', 'admit'),
    'tag': ('the tag: HMAC-SHA256, keyed beforehand', 'unsign'),
    'decode': ('the payload from its parts', 'unsign'),
    'grammar': ('grammar of the payload: one regular expression', 'decode'),
    'issue': ('whether a fresh ID may go out', ''),
    'id': ('the session ID: BLAKE2b, and its discreet string', ''),
    'list': ('scan list', ''),
    'passage': ('control; environ, put in', ''),
    'collect': ('environ, read back', ''),
    'vary': ('``Vary`` and the list of headers', ''),
    'answer': ('what to tell the browser', ''),
    'sign': ('key, length', ''),
    'encode': ('the text of the payload', 'sign'),
    'new tag': ('its tag', 'sign'),
    'set': ('``Set-Cookie``', ''),
    'private': ('``Cache-Control``', ''),
}


def steps(site: SessionCookieHandler, environ: Environ, verified_before: bool,
          writes: bool) -> Generator[Step, Any, None]:
    """Those of one request.  What is sent back is what the function gave."""
    now = site.clock()
    candidates = yield 'find', site._find, (environ['HTTP_COOKIE'],)
    for value in candidates:
        if not verified_before:
            yield from steps_of_verifying(site, value)
        yield 'unsign', site.signer.unsign, (value, now)
    state = yield 'admit', admit, (site.policy, candidates, now)
    if not candidates:
        state.issue = yield 'issue', site._issue, (state, environ)
    yield 'id', state.payload.part, ('',)
    scanlist = yield 'list', site.environ_class, (site, site.scanlist)
    passage = yield 'passage', Passage, (environ, state, scanlist)
    if writes:
        environ['REMOTE_SESSION'] = 'list=compact'
    yield 'collect', passage.collect, (environ, False)
    response_headers = yield 'vary', headers.with_vary_cookie, (HEADERS,)
    if state.is_quiet():
        return
    payload = yield 'answer', state.answer, (False,)
    text = yield 'encode', encoding.encode, (payload,)
    yield 'new tag', site.signer.keys.current.tag, (bytes(PREFIX) + text.encode('ascii'),)
    value = yield 'sign', site.signer.sign, (payload,)
    yield 'set', site._set_cookie, (payload, value, True)
    yield 'private', headers.make_private, (response_headers,)


def steps_of_verifying(site: SessionCookieHandler, value: str) -> Generator[Step, Any, None]:
    signed = value[:-1 - TAG_DIGITS]
    yield 'tag', site.signer.keys.current.tag, (signed.encode('ascii'),)
    yield 'grammar', encoding._START.match, (signed, PREFIX)
    yield 'decode', encoding.decode, (signed, PREFIX)


def until(name: str, run: Generator[Step, Any, None]) -> partial[Any] | None:
    """The call of a step, reached and not made; None if the request has no such step."""
    result = None
    try:
        while True:
            step, function, arguments = run.send(result)
            if step == name:
                return partial(function, *arguments)
            # a cookie stays one that was never seen until it is admitted
            result = None if step == 'unsign' else function(*arguments)
    except StopIteration:
        return None


class Workload(NamedTuple):
    """How the requests of one are made; ``cookies``: with a site, which come along."""

    cookies: Callable[[SessionCookieHandler], Iterable[str]]
    verified_before: bool = False
    writes: bool = False
    issue: str = 'always'

    def calls(self, step: str) -> Iterator[partial[Any] | None]:
        site = handler(issue=self.issue)
        for value in self.cookies(site):
            if self.verified_before:
                site.signer.unsign(value, site.clock())
            yield until(step, steps(site, fresh_environ(value), self.verified_before,
                                    self.writes))

    def case(self, step: str) -> measure.Case:
        def case(count: int) -> tuple[Callable[[Any], object], list[Any]]:
            calls = list(itertools.islice(self.calls(step), count))
            return partial(call, calls[:]), calls
        return case


def call(kept: list[Any], step: Callable[[], object]) -> None:
    """``kept`` has all arguments: to free them is no part."""
    step()


def nothing(count: int) -> tuple[Callable[[Any], object], list[Any]]:
    """What every step is compared with: a call of what does nothing."""
    calls: list[Any] = [partial(bool, False)] * count
    return partial(call, calls[:]), calls


def none(site: SessionCookieHandler) -> Iterable[str]:
    return itertools.repeat('')


def one(site: SessionCookieHandler, value: str = '') -> Iterable[str]:
    return itertools.repeat(cookie(site, value=value))


WORKLOADS = {
    'W0': Workload(none, issue='kept'),
    'W1': Workload(never_seen),
    'W1, verified before': Workload(one, verified_before=True),
    'W2': Workload(never_seen, writes=True),
    'W4': Workload(none),
    'W5': Workload(partial(never_seen, value=KILOBYTE)),
    'W5, verified before': Workload(partial(one, value=KILOBYTE), verified_before=True),
}


def cases() -> dict[str, workloads.MakeCase]:
    """Each step of each workload that has it, and the whole request."""
    made: dict[str, workloads.MakeCase] = {
        NOTHING: lambda: nothing, BARE: workloads.bare}
    for name, workload in WORKLOADS.items():
        made[name] = OURS[name]
        made[floor_of(name)] = workloads.FLOOR[floor_of(name)]
        made.update((f'{name}: {step}', partial(workload.case, step)) for step in STEPS
                    if next(iter(workload.calls(step))) is not None)
    return made


def columns() -> Iterator[dict[str, int]]:
    """Instructions of each workload, by step."""
    counts = measure.instructions(__file__, cases())
    for name in WORKLOADS:
        each = {step: counts[f'{name}: {step}'] - counts[NOTHING]
                for step in STEPS if f'{name}: {step}' in counts}
        parts = {step: count - sum(each[inner] for inner in each if STEPS[inner][1] == step)
                 for step, count in each.items()}
        whole = counts[name] - counts[BARE]
        yield {**parts, REST: whole - sum(parts.values()), WHOLE: whole,
               FLOOR: counts[floor_of(name)] - counts[BARE]}


def floor_of(name: str) -> str:
    return f'FLOOR {name.partition(",")[0]}'


def main() -> None:
    measure.run_if_asked(lambda name: cases()[name]())
    table = list(columns())
    heads = ['Thousands of instructions', *WORKLOADS]
    rows = [[STEPS[step][0] if step in STEPS else step,
             *[f'{column[step] / 1000:.1f}' if step in column else '' for column in table]]
            for step in (*STEPS, REST, WHOLE, FLOOR)]
    measure.print_table(heads, rows)
    if '--record' in sys.argv:
        TABLE.write_text('\n'.join([
            f'.. Written by tests/bench/parts.py --record, with Python {speed.PYTHON}.',
            *speed.list_table('Where it goes', heads, rows), '']), 'utf-8')


if __name__ == '__main__':
    main()
