"""
The filters of a site, as its ini files have them
=================================================

What :mod:`wiring` found is read as the filters would read it when the server starts,
with the same tables and the same sentences; but nothing is made on the disk, and no
server is asked.
"""
from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from . import cookie, engines, namespace, profile, requirelogin, sources
from .cookie import SessionCookieHandler
from .section import IniSection, Option
from .wiring import Part, Place

_PACKAGE = 'paste_sessioncookie.'
_NO_APPLICATION: Any = None  # what is judged here is not called
SESSION = 'session_cookie'
NAMESPACE = 'namespace'
REQUIRE_LOGIN = 'require_login'
PROFILE = 'profile'

_FILE = re.compile(r'\b(?:file|generate):\s*(\S+)')
_ONE_FILE = re.compile(r'\s*(?:file|generate):\s*(.*\S)')  # which may have blanks in its name
_SINGLE = ('secret', 'login_private_key')

#: what each filter's factory reads; nothing is made, and nobody asked
TABLES: Mapping[str, Mapping[str, Option]] = {
    SESSION: {
        **cookie.OPTIONS,
        'secret': replace(cookie.OPTIONS['secret'], convert=sources.existing_secret),
        'revocation': replace(cookie.OPTIONS['revocation'], convert=engines.known_engine,
                              default=('memory', '')),
    },
    NAMESPACE: namespace.OPTIONS,
    REQUIRE_LOGIN: requirelogin.OPTIONS,
    PROFILE: profile.OPTIONS,
}


@dataclass(frozen=True)
class Filter:
    """A filter of ours.  ``values`` are of use where there are no ``faults``."""

    part: Part
    kind: str  # as in "use", or an adapter's
    values: Mapping[str, Any]
    faults: tuple[str, ...]

    @property
    def place(self) -> Place:
        return self.part.place

    @property
    def key(self) -> object:
        """The same for each reference to one section with the same options."""
        return self.part.places, tuple(sorted(map(repr, self.part.local_conf.items())))

    @cached_property
    def handler(self) -> SessionCookieHandler:
        """The outer filter that this would make, without its list."""
        values = {name: value for name, value in self.values.items() if name != 'revocation'}
        lifetime = values.pop('lifetime')
        secret = values.pop('secret') or self._secret_to_be_made()
        return SessionCookieHandler(
            _NO_APPLICATION, secret=secret, timeout=values.pop('timeout') / 60,
            lifetime=None if lifetime is None else lifetime / 60, revocations='none', **values)

    def with_list(self) -> SessionCookieHandler:
        """The outer filter as the server makes it; a list that is not there is made.
        Raises ConfigError."""
        return cookie.make_session_cookie(
            _NO_APPLICATION, dict(self.part.global_conf), **self.part.local_conf)

    @property
    def engine(self) -> tuple[str, str]:
        """The kind of the revocation list, and which it is."""
        found: tuple[str, str] = self.values['revocation']
        return found

    @property
    def secret_is_there(self) -> bool:
        return self.values['secret'] is not None

    def _secret_to_be_made(self) -> bytes:
        """Stands for what ``generate:`` will make; the same for the same file."""
        return hashlib.sha256(os.fsencode(self.paths('secret')[0])).digest()

    def paths(self, *options: str) -> list[str]:
        """The files that options name, as file:PATH or generate:PATH."""
        conf = {**self.part.global_conf, **self.part.local_conf}
        here = conf.get('here') or os.path.dirname(conf.get('__file__', ''))
        return [os.path.realpath(os.path.join(here, name)) for option in options
                for name in (_ONE_FILE if option in _SINGLE else _FILE).findall(
                    str(conf.get(option, ''))) if '\0' not in name]


def kind_of(part: Part) -> str:
    """What it is in ``use``, '' for what is not ours."""
    if not part.factory.target.startswith(_PACKAGE):
        return ''
    return part.factory.target.partition(':')[2].removeprefix('make_')


def judged(part: Part) -> Filter:
    """A filter of ours, with all faults of its section."""
    kind = kind_of(part)
    if kind not in TABLES:  # an adapter's, which only its framework can judge
        return Filter(part, kind, {}, ())
    if kind == SESSION:
        section = cookie.read_section(TABLES[kind], part.global_conf, part.local_conf)
    else:
        section = IniSection(kind, TABLES[kind], part.global_conf, part.local_conf)
    return Filter(part, kind, section.values, tuple(section.faults))
