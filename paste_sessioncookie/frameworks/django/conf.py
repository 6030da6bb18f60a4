"""
The setting SITE_SESSION
========================
"""
from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from typing import Any, NamedTuple

from django.conf import global_settings, settings
from django.contrib.sessions.backends import signed_cookies
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.middleware import SessionMiddleware
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

from ...section import unknown
from .. import carry_names, warn_of_cookie_options

NAME = 'SITE_SESSION'

# what describes Django's own cookie alone; SESSION_COOKIE_AGE is how long a session
# is stored, and others are for the cookies of messages and CSRF, too
UNUSED = ('SESSION_COOKIE_NAME', 'SESSION_COOKIE_PATH', 'SESSION_EXPIRE_AT_BROWSER_CLOSE')


class Conf(NamedTuple):
    """What the settings say."""

    engine: Any                             # the engine's SessionStore
    publish: bool
    tokens: Callable[[Any], Iterable[str]]  # of a user
    make_user: Callable[[Any, Mapping[str, Any]], Any]
    carry: tuple[str, ...]


def group_names(user: Any) -> list[str]:
    """The names of a user's groups, for ``'TOKENS'``."""
    return list(user.groups.order_by('name').values_list('name', flat=True))


def read() -> Conf:
    """The settings.  Raises ImproperlyConfigured with all their faults."""
    given = getattr(settings, NAME, {})
    if not isinstance(given, Mapping):
        raise ImproperlyConfigured(f'{NAME} takes a dictionary')
    engine = import_module(settings.SESSION_ENGINE).SessionStore
    faults = [*_engine_faults(engine), *_middleware_faults()]
    faults += [unknown(str(name), OPTIONS) for name in given if name not in OPTIONS]
    values = {name.lower(): _value(name, given, faults) for name in OPTIONS}
    if faults:
        raise ImproperlyConfigured('\n  - '.join((
            f'the setting {NAME}, and what it goes with, for paste_sessioncookie:', *faults)))
    warn_of_cookie_options('settings', [
        name for name in UNUSED
        if getattr(settings, name) != getattr(global_settings, name)])
    return Conf(engine, **values)


def _value(name: str, given: Mapping[str, Any], faults: list[str]) -> Any:
    """What one key says.  Adds to the faults."""
    convert, default = OPTIONS[name]
    try:
        return convert(given.get(name, default))
    except ValueError as error:
        faults.append(f'{name} = {given[name]!r}: {error}')


def _middleware_faults() -> list[str]:
    return [f'MIDDLEWARE: {path}: take it out, there is one for sessions already'
            for path in settings.MIDDLEWARE if import_string(path) is SessionMiddleware]


def _engine_faults(engine: object) -> list[str]:
    if not (isinstance(engine, type) and issubclass(engine, SessionBase)):
        return [f'SESSION_ENGINE = {settings.SESSION_ENGINE!r}: its SessionStore is no '
                'subclass of SessionBase']
    if issubclass(engine, signed_cookies.SessionStore):
        return [f'SESSION_ENGINE = {settings.SESSION_ENGINE!r}: it keeps the whole session '
                'in a cookie of its own, and knows no session ID; it takes an engine that '
                "stores sessions on the server, such as 'django.contrib.sessions."
                "backends.db'"]
    return []


def _boolean(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError('it takes True or False')
    return value


def _callable(value: object) -> Callable[..., Any]:
    if isinstance(value, str):
        try:
            value = import_string(value)
        except ImportError as error:
            raise ValueError(f'{error}; it takes the dotted path of a callable') from None
    if not callable(value):
        raise ValueError('it takes a callable, or its dotted path')
    return value


def _carry(value: object) -> tuple[str, ...]:
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise ValueError("it takes a list of names, such as ['basket']")
    return carry_names(value)  # Django's own begin with "_", or are on everybody's list


def no_tokens(user: Any) -> tuple[str, ...]:
    return ()


def no_user(identity: Any, profile: Mapping[str, Any]) -> None:
    return None


#: key -> converter, default
OPTIONS: dict[str, tuple[Callable[[Any], Any], Any]] = {
    'PUBLISH': (_boolean, False),
    'TOKENS': (_callable, no_tokens),
    'MAKE_USER': (_callable, no_user),
    'CARRY': (_carry, ()),
}
