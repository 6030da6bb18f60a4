"""
The settings ``site_session.*``
===============================
"""
from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pyramid.config import Configurator
from pyramid.path import DottedNameResolver
from pyramid.tweens import EXCVIEW, INGRESS

from ... import options
from ...section import IniSection, Option
from .. import carry_names
from .login import MakeUser, SiteSecurityPolicy

PREFIX = 'site_session.'
CARRY = PREFIX + 'carry'
MAKE_USER = PREFIX + 'make_user'
SECURITY = PREFIX + 'security'

_RESOLVE = DottedNameResolver(None).resolve


def resolved(text: str) -> Any:
    """What a dotted name names.  Raises ValueError."""
    try:
        return _RESOLVE(text)
    except Exception as error:  # importing runs somebody's code
        raise ValueError(f'it cannot be imported ({type(error).__name__}: {error})'
                         ) from error


def redis_from_url(url: str) -> Any:
    """A client of redis-py.  Raises ValueError."""
    try:
        from redis import Redis
        return Redis.from_url(url)
    except ImportError:
        raise ValueError('this takes redis-py: pip install redis') from None
    except ValueError:
        # not its own words: a part of the URL may be a password
        raise ValueError('it takes redis://HOST:PORT/NUMBER, rediss://... or '
                         'unix:///PATH, as redis-py does') from None


def _carry(text: str, here: str) -> tuple[str, ...]:
    return carry_names(text)


def _function(found: Any) -> MakeUser:
    if not callable(found):
        raise ValueError('it takes a function, or its dotted name')
    return found  # type: ignore[no-any-return]


def _named_function(text: str, here: str) -> MakeUser:
    return _function(resolved(text))


LOGIN_OPTIONS = {
    CARRY: Option(_carry, ()),
    SECURITY: Option(options.boolean, False),
    MAKE_USER: Option(_named_function),
}
#: what may be an object, from Python, and what makes a value of it
LOGIN_OBJECTS: Mapping[str, Callable[[Any], Any]] = {MAKE_USER: _function}


def settings_section(config: Configurator, title: str,
                     table: Mapping[str, Option] = LOGIN_OPTIONS,
                     objects: Mapping[str, Callable[[Any], Any]] = LOGIN_OBJECTS
                     ) -> IniSection:
    """The settings ``site_session.*``, converted."""
    given = {name: value for name, value in config.registry.settings.items()
             if name.startswith(PREFIX)}
    found = {name: given.pop(name) for name in objects
             if name in given and not isinstance(given[name], str)}
    section = IniSection(title, {
        name: option for name, option in table.items() if name not in found}, None, given,
        egg='')
    for name, value in found.items():
        try:
            section.values[name] = objects[name](value)
        except ValueError as error:
            section.fault(f'{name}: {error}', name)
    if MAKE_USER in {*given, *found} and not section.values[SECURITY]:
        section.fault(f'{MAKE_USER}: this is for {SECURITY} = true', MAKE_USER)
    return section


def add_login(config: Configurator, values: Mapping[str, Any]) -> None:
    """The tween, and the security policy if it is wanted."""
    config.add_tween(f'{__package__}.success_tween_factory', under=INGRESS,
                     over=('pyramid_tm.tm_tween_factory', EXCVIEW))
    if values[SECURITY]:
        config.set_security_policy(SiteSecurityPolicy(values[MAKE_USER]))
