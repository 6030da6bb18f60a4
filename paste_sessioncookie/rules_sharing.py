"""
Rules of a checkup: what several share
======================================

Applications their namespace, filters their cookie, processes their revocation list.
"""
from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import combinations
from typing import NamedTuple

from .filters import NAMESPACE, SESSION, Filter
from .findings import PREFIX, Finding, Site, is_one_of, place_of, reads, shown
from .wiring import Part, Way, Wiring

_FORKING = re.compile('_fork$')


class _Tenant(NamedTuple):
    """An application with a session."""

    name: str                # its namespace; '' outside any
    space: Filter | None     # what gives it that
    session: Filter
    app: Part
    mount: str               # what SCRIPT_NAME would be


def _tenants(site: Site) -> list[_Tenant]:
    found = []
    for filters, way in site.ways:
        sessions = [each for each in filters if each.kind == SESSION]
        spaces = [each for each in filters if each.kind == NAMESPACE and not each.faults]
        if sessions and not sessions[0].faults:
            space = spaces[-1] if spaces else None
            mount = _mount_point(way)
            name = space.values['namespace'] or mount if space else ''
            found.append(_Tenant(name, space, sessions[0], way.app, mount))
    return found


def _mount_point(way: Way) -> str:
    prefixes = [str(part.local_conf.get('prefix', '')) for part in way.filters
                if is_one_of(part, PREFIX)]
    return (''.join(prefixes).rstrip('/') + way.app.mount.path) or '/'


def _default_names(site: Site) -> Iterator[Finding]:
    for tenant in _tenants(site):
        space = tenant.space
        if space is None or space.values['namespace']:
            continue
        domain = tenant.session.values['domain']
        if tenant.name == '/' or domain:
            yield Finding(
                'warning', space.place, 'namespace', f'{tenant.app.name} has the mount point, '
                f'{tenant.name}, for its namespace, and '
                + ('the cookie is for several hosts' if domain
                   else 'that is the root of the host'),
                'another application may have the same, and share its session ID',
                f'write namespace = {tenant.app.name} into a section for it')


def _clashes(site: Site) -> Iterator[Finding]:
    tenants = [each for each in _tenants(site) if each.name]
    for one, other in combinations(tenants, 2):
        if (one.name != other.name or one.session.handler.cookie_name
                != other.session.handler.cookie_name or _same_app(one.app, other.app)):
            continue
        assert one.space and other.space
        if one.space.values['namespace'] and other.space.values['namespace'] and (
                one.space.place != other.space.place):
            continue  # two sections say the same name: they mean it
        yield Finding(
            'warning', other.space.place, 'namespace',
            f'{shown(one.app)} and {shown(other.app)} have one namespace, {one.name}',
            'they share a session ID, and their values collide',
            'give each a section with a namespace of its own; if they shall share, write '
            f'namespace = {one.name} into two sections')


def _paths(site: Site) -> Iterator[Finding]:
    for tenant in _tenants(site):
        path, mount = tenant.session.values['path'], tenant.mount
        if not (_is_below(path, mount) or _is_below(mount, path)):
            yield Finding(
                'warning', tenant.session.part.home('path'), 'path',
                f'path = {path}, and {tenant.app.name} stands at {mount}',
                'browsers do not send the cookie there: nobody has a session, or is logged in',
                'write a path that is above all applications, or remove the line')


def _is_below(path: str, other: str) -> bool:
    return f'{path.rstrip("/")}/'.startswith(f'{other.rstrip("/")}/')


def _same_app(one: Part, other: Part) -> bool:
    return (one.places, one.mount, one.factory) == (other.places, other.mount, other.factory)


def _without(site: Site) -> Iterator[Finding]:
    tenants = _tenants(site)
    bare = dict.fromkeys(each.app.place for each in tenants if not each.name)
    if len(bare) > 1 and any(each.name for each in tenants):
        *others, last = bare
        yield Finding(
            'note', last, '', f'{len(bare)} applications are in no namespace: '
            + ', '.join(place.section for place in bare),
            'they see one session ID, and share the values that they keep',
            'nothing is to be done, unless they keep sessions: each takes a namespace then')


def _shared_cookies(site: Site) -> Iterator[Finding]:
    for one, other in combinations(site.sessions, 2):
        if one.handler.cookie_name != other.handler.cookie_name:
            continue
        where = place_of(one)
        if not (reads(one, other) and reads(other, one)):
            option = _differing(one, other, ('domain', 'path')) or 'secret'
            yield Finding(
                'error', other.part.home(option), option, 'its cookie has the name of that of '
                f'{where}, {one.handler.cookie_name}, and another {option}',
                'each refuses what the other has set: visitors lose their session, to and fro',
                f'write the same {option}, or another cookie_name')
            continue
        for option in ('lifetime', 'timeout', 'secure', 'samesite', 'persistent', 'scanlist',
                       'not_before'):
            if _effective(one, option) != _effective(other, option):
                yield Finding(
                    'warning', other.part.home(option), option, f'{option} is not that of '
                    f'{where}, which has the same cookie', 'what holds depends on which of '
                    'the two has sent the cookie last', f'write the same {option} into both')
        yield from _shared_lists(one, other, where)
        yield from _login_keys(one, other, where)


def _differing(one: Filter, other: Filter, options: Iterable[str]) -> str:
    return next((each for each in options if one.values[each] != other.values[each]), '')


def _effective(each: Filter, option: str) -> object:
    if option == 'lifetime':
        return each.handler.signer.lifetime_seconds
    return each.values[option]


def _shared_lists(one: Filter, other: Filter, where: str) -> Iterator[Finding]:
    if one.engine != other.engine:
        yield Finding(
            'error', other.part.home('revocation'), 'revocation', 'its revocation list is '
            f'not that of {where}, which has the same cookie', 'who has logged out of one is '
            'still logged in at the other, with a copied cookie',
            'write the same revocation into both')
    elif _effective(one, 'lifetime') != _effective(other, 'lifetime') and (
            one.engine[0] not in ('none', 'memory')):
        yield Finding(
            'error', other.part.home('lifetime'), 'lifetime', 'the revocation list is that '
            f'of {where}, and lifetime is not', 'what the one with the shorter lifetime '
            'revokes counts again before the cookies of the other expire',
            'write the same lifetime into both')
    elif one.engine[0] == 'memory' and one.place.file != other.place.file:
        yield Finding(
            'warning', other.part.home('revocation'), 'revocation', 'the revocation list is '
            f'in memory, and {where} has the same cookie', 'if these are two processes, who '
            'has logged out of one is still logged in at the other, with a copied cookie',
            'write revocation = sqlite:PATH into both, or redis:// for several machines')


def _login_keys(one: Filter, other: Filter, where: str) -> Iterator[Finding]:
    keyed = [bool(each.values['login_private_key'] or each.values['login_public_keys'])
             for each in (one, other)]
    if keyed[0] != keyed[1]:
        bare = one if keyed[1] else other
        yield Finding(
            'error', bare.part.home('login_public_keys'), 'login_public_keys',
            'it has no login keys, and another filter of its cookie has '
            f'({where if bare is other else place_of(other)})',
            'each refuses the logins of the other', 'write login_public_keys into this one')


def _processes(site: Site) -> Iterator[Finding]:
    for wiring in site.wirings:
        for place, options in wiring.server.items():
            for option in ('workers', 'processes'):
                if not re.fullmatch('[0-9]+', options.get(option, '')) or int(
                        options[option]) < 2:
                    continue
                yield from _memory(site, wiring, f'[{place.section}] has {option} = '
                                                 f'{options[option]}')
            if _FORKING.search(options.get('use', '')):
                yield from _memory(site, wiring, f'[{place.section}] forks')


def _memory(site: Site, wiring: Wiring, why: str) -> Iterator[Finding]:
    for each in site.sessions:
        if each.engine[0] == 'memory' and any(
                each.place == part.place for way in wiring.ways for part in way.filters):
            yield Finding(
                'error', each.part.home('revocation'), 'revocation',
                f'the revocation list is in the memory of one process, and {why}',
                'who has logged out in one process is still logged in in the others, with a '
                'copied cookie', 'write revocation = sqlite:%(here)s/revoked.sqlite')


RULES = (_shared_cookies, _processes, _paths, _clashes, _default_names, _without)
