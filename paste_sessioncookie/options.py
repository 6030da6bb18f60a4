"""
Options: the text of one, in; its value out
===========================================

The converters that need nothing but the text.  Others are in ``sources``,
``engines`` and ``addresses``.
"""
from __future__ import annotations

import datetime
import importlib
import ipaddress
import re
from collections.abc import Callable
from typing import Any

from paste.deploy.converters import asbool

from .encoding import is_token
from .environ import scanlist_fault
from .errors import ConfigError
from .section import Converter
from .sessionid import new_base_id
from .signer import CLOCK_SKEW, MAX_COOKIE, MAX_DURATION, MIN_MAXLEN

MAX_PATIENCE = 60  # seconds; a visitor waits as long

_DURATION = re.compile(r'([0-9]{1,9})\s*([smhd]?)')
_UNIT = {'s': 1, '': 60, 'm': 60, 'h': 3600, 'd': 86400}  # in seconds


def duration(text: str, here: str) -> int:
    """``90s 30m 12h 14d``, or a number of minutes: in seconds."""
    match = _DURATION.fullmatch(text)
    seconds = int(match[1]) * _UNIT[match[2]] if match else 0
    if not 0 < seconds <= MAX_DURATION:
        raise ValueError('it takes a time as in 90s, 30m, 12h or 14d, or a number of '
                         'minutes; more than none, and ten years at most')
    return seconds


def boolean(text: str, here: str) -> bool:
    try:
        return bool(asbool(text))
    except ValueError:
        raise ValueError('it takes true or false') from None


def secure(text: str, here: str) -> bool | None:
    """True, False, or None for ``auto``."""
    if text.lower() == 'auto':
        return None
    try:
        return boolean(text, here)
    except ValueError:
        raise ValueError('it takes true, false or auto') from None


def choice(*words: str) -> Converter:
    """A converter that takes one of the words, in any case."""
    def convert(text: str, here: str) -> str:
        for word in words:
            if text.lower() == word.lower():
                return word
        raise ValueError('it takes one of: ' + ', '.join(words))
    return convert


def length(text: str, here: str) -> int:
    """Characters of a cookie."""
    if not re.fullmatch('[0-9]{1,6}', text) or not MIN_MAXLEN <= int(text) <= MAX_COOKIE:
        raise ValueError(f'it takes a number from {MIN_MAXLEN} to {MAX_COOKIE}, which is '
                         'what browsers keep')
    return int(text)


_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,100}")  # RFC 9110, 5.6.2
_PATH = re.compile(r'/[!-+\--:<-~]{0,199}')                 # RFC 6265, 4.1.1
_METHOD = re.compile(r'[A-Za-z0-9_.:/]{1,100}')            # XML-RPC, methodName
_LABEL = r'[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?'
_HOST = re.compile(rf'(?:{_LABEL}\.)*{_LABEL}')


def cookie_name(text: str, here: str) -> str:
    if not _TOKEN.fullmatch(text):
        raise ValueError('it takes letters, digits and "-", "_", ".", 100 at most')
    return text


def path(text: str, here: str) -> str:
    if not _PATH.fullmatch(text):
        raise ValueError('it takes a path that begins with "/", as in /shop, without '
                         'spaces, commas and semicolons')
    return text


def domain(text: str, here: str) -> str:
    """A host name in lower case, or '' for none."""
    name = text[1:] if text.startswith('.') else text
    if text and (not _HOST.fullmatch(name) or len(name) > 253 or is_address(name)):
        raise ValueError('it takes a host name, as in example.org: no scheme, no port, '
                         'no address')
    return name.lower()


def is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def names(text: str, here: str) -> tuple[str, ...]:
    """environ keys, separated by white space."""
    keys = tuple(dict.fromkeys(text.split()))
    faults = [f'{key}: {fault}' for key in keys if (fault := scanlist_fault(key))]
    if faults:
        raise ValueError('; '.join(faults))
    return keys


def moment(text: str, here: str) -> float:
    """An ISO 8601 time (UTC, if it does not say): Unix time."""
    if not text:
        return 0
    try:
        # Python 3.10 does not read the Z
        time = datetime.datetime.fromisoformat(re.sub('[Zz]$', '+00:00', text))
    except ValueError:
        raise ValueError('it takes an ISO 8601 time, as in 2026-01-31T12:00:00Z') from None
    if time.tzinfo is None:
        time = time.replace(tzinfo=datetime.timezone.utc)
    now = datetime.datetime.now(datetime.timezone.utc)
    if time > now + datetime.timedelta(seconds=CLOCK_SKEW):
        raise ValueError('this is in the future: until then, nobody could stay logged in')
    return time.timestamp()


def native_name(text: str, here: str) -> str:
    """A name of one's own choice, as environ would have it."""
    refuse_comment(text)
    if not text or not text.isprintable() or len(text) > 100:
        raise ValueError('it takes a name of 1 to 100 characters')
    return text.encode('utf-8').decode('latin-1')


def generator(text: str, here: str) -> Callable[[], bytes]:
    """``module:callable``, tried out."""
    make = python_object(text)
    try:
        first, second = new_base_id(make), new_base_id(make)
    except ConfigError as error:
        raise ValueError(str(error)) from None
    except Exception as error:
        raise ValueError(f'it raised {type(error).__name__}: {error}') from error
    if first == second:
        raise ValueError('it gave the same bytes twice')
    return make


PYTHON_OBJECT = re.compile(r'([A-Za-z_][\w.]*):([A-Za-z_][\w.]*)')


def python_object(text: str) -> Callable[..., Any]:
    """What ``module:callable`` names."""
    match = PYTHON_OBJECT.fullmatch(text)
    if match is None:
        raise ValueError('it takes module:callable')
    module_name, attributes = match.groups()
    try:
        found: Any = importlib.import_module(module_name)
        for attribute in attributes.split('.'):
            found = getattr(found, attribute)
    except (Exception, SystemExit) as error:  # importing runs somebody's code
        raise ValueError(f'it cannot be imported ({type(error).__name__}: {error})') from error
    if not callable(found):
        raise ValueError('it takes module:callable; this cannot be called')
    return found  # type: ignore[no-any-return]


def tokens(text: str, here: str) -> tuple[str, ...]:
    """Groups, separated by white space or commas; one at least."""
    refuse_comment(text)
    groups = tuple(dict.fromkeys(re.split(r'[\s,]+', text.strip(' \t\n,'))))
    if not all(map(is_token, groups)):
        raise ValueError('it takes groups, as in staff, editors; each of printable ASCII '
                         'without comma and space, one at least')
    return groups


def method(text: str, here: str) -> str:
    """The name of an XML-RPC method."""
    if not _METHOD.fullmatch(text):
        raise ValueError('it takes the name of a method, as in get_profile: letters, digits '
                         'and "_", ".", ":", "/"')
    return text


def patience(text: str, here: str) -> int:
    """A duration for which a visitor can be made to wait, in seconds."""
    seconds = duration(text, here)
    if seconds > MAX_PATIENCE:
        raise ValueError('it takes a minute at most, as in 2s: a visitor waits for it (a '
                         'bare number is minutes)')
    return seconds


def refuse_comment(text: str) -> None:
    """Raises ValueError for what somebody meant as a comment."""
    if re.search(r'\s[;#]', text):
        raise ValueError('ini files have no comments behind a value: put it on a line of '
                         'its own')
