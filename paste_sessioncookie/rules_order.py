"""
Rules of a checkup: what is around what
=======================================
"""
from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from .filters import NAMESPACE, REQUIRE_LOGIN, SESSION, TABLES, Filter, kind_of
from .findings import PREFIX, Finding, Site, is_one_of, place_of, reads, shown
from .wiring import Way

# of other eggs, by their factories
_HTTPEXCEPTIONS = ('paste.httpexceptions:make_middleware', 'egg:Paste#httpexceptions',
                   'egg:Zope#httpexceptions', 'ZPublisher.httpexceptions')
_AUTH_COOKIE = ('paste.auth.cookie:make_auth_cookie', 'egg:Paste#auth_cookie')


def _order(site: Site) -> Iterator[Finding]:
    for filters, way in site.ways:
        session = None
        for each in filters:
            if each.kind == SESSION:
                if session is not None:
                    yield from _nested(session, each)
                session = session or each
            elif session is None:
                yield _outside(each, way)
        spaces = [each for each in filters if each.kind == NAMESPACE]
        for each in spaces[:-1]:
            yield Finding(
                'warning', each.place, '', f'another namespace, {spaces[-1].part.name}, is '
                f'inside, on the way to {way.app.name}', 'this one has no effect there',
                'take one of the two out of the pipeline')


def _outside(each: Filter, way: Way) -> Finding:
    later = [part.name for part in way.filters if kind_of(part) == SESSION]
    return Finding(
        'error', each.place, '', f'{each.kind} has no session_cookie outside of it, on the '
        f'way to {way.app.name} ({way.app.mount})',
        'every request there is an error' if each.kind in TABLES
        else 'a session there lasts for one request',
        'write the session_cookie first, as in '
        f'"pipeline = {later[0] if later else "session"} {each.part.name} {way.app.name}"')


def _nested(outer: Filter, inner: Filter) -> Iterator[Finding]:
    if not (outer.faults or inner.faults) and not reads(outer, inner):
        yield Finding(
            'error', inner.place, '', 'it is inside another session_cookie, '
            f'{place_of(outer)}, whose name, secret, domain or path differ',
            'every request there is an error',
            'take one of the two out, or let both use one section: '
            f'use = config:{outer.place.file}#{outer.part.name}')


def _others(site: Site) -> Iterator[Finding]:
    """Filters of other eggs that stand on the wrong side of ours."""
    for _, way in site.ways:
        kinds = [kind_of(part) for part in way.filters]
        if SESSION not in kinds:
            continue
        for number, part in enumerate(way.filters):
            inside = [each.name for each, kind in zip(way.filters[number:], kinds[number:])
                      if kind in (SESSION, NAMESPACE)]
            if is_one_of(part, _HTTPEXCEPTIONS) and inside:
                yield Finding(
                    'warning', part.place, '', f'{part.name} is outside of {inside[-1]}, on '
                    f'the way to {way.app.name}', 'what an application did to the session is '
                    'lost when it raises an HTTP exception, such as a redirection',
                    f'write {part.name} behind it: "pipeline = ... {inside[-1]} {part.name} '
                    f'{way.app.name}"')
            if is_one_of(part, PREFIX) and SESSION in kinds[:number]:
                yield Finding(
                    'warning', part.place, '', f'{part.name} is inside of the session_cookie',
                    'the session_cookie sees the request as the proxy sends it: http where '
                    'it is https', f'write it first: "pipeline = {part.name} session ..."')
            if is_one_of(part, _AUTH_COOKIE):
                yield Finding(
                    'error', part.place, '', f'{part.name} is a paste.auth.cookie, beside a '
                    'session_cookie', "both put environ['paste.auth.cookie'] there, and it "
                    'raises on every cookie (Python 3)', f'take {part.name} out')


def _broken(site: Site) -> Iterator[Finding]:
    for wiring in site.wirings:
        for place in wiring.broken:
            yield Finding(
                'error', place, 'filter-with', 'filter-with does not work here',
                'Paste Deploy makes something of it that is no application, and every request '
                'is an error', 'write the filter into the pipeline; it takes filter-with in '
                '[app:] and [composite:] only')


def _missing(site: Site) -> Iterator[Finding]:
    for wiring in site.wirings:
        for way in wiring.ways:
            for part in (*way.filters, way.app):
                if not part.factory.target:
                    yield Finding(
                        'note', part.place, 'use',
                        f'{part.factory.text} is not installed here',
                        'what it does is not judged; the server needs it',
                        f'pip install {part.factory.text.partition(":")[2].partition("#")[0]}')


def _login_pages(site: Site) -> Iterator[Finding]:
    for filters, way in site.ways:
        for gate in filters:
            url = gate.values.get('login_url', '') if gate.kind == REQUIRE_LOGIN else ''
            if gate.faults or not url.startswith('/'):
                continue
            door = _serving(site, urlsplit(url).path, way.app.mount.host)
            if door is None:
                yield Finding(
                    'warning', gate.part.home('login_url'), 'login_url',
                    f'login_url = {url}: no application is there', 'who is not logged in is '
                    'sent to a page that is not found', 'write the whole path, with mount '
                    'points')
                continue
            spaces = [each for each in door[0] if each.kind == NAMESPACE]
            if spaces and not spaces[-1].faults and not spaces[-1].values['login']:
                yield Finding(
                    'error', spaces[-1].place, 'login', f'{shown(door[1].app)} has the login '
                    f'page, {url}, and may not log users in', 'nobody can log in',
                    'put another namespace before it, with login = true')


def _serving(site: Site, path: str, host: str) -> tuple[list[Filter], Way] | None:
    """The way to the application that serves a path."""
    candidates = [each for each in site.ways if each[1].app.mount.host in ('', host)
                  and f'{path}/'.startswith(f'{each[1].app.mount.path}/')]
    return max(candidates, key=_depth, default=None)


def _depth(found: tuple[list[Filter], Way]) -> int:
    return len(found[1].app.mount.path)


RULES = (_order, _broken, _others, _login_pages, _missing)
