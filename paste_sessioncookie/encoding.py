"""
The payload: what a cookie says, as text and as a Python object
===============================================================

:func:`encode` and :func:`decode` are each other's mirror.  There is exactly
one text for one payload: :func:`decode` refuses every text that
:func:`encode` would not have written.  ::

    payload  = base-id "!" created "!" issued "!" idle "!" absolute
               "!" login "!" values "!" previous *( "!" section )
    base-id  = 32 to 128 hex digits
    login    = "" / ( login-id ":" at ":" by ":" user ":" tokens )
                  / ( base64url "." base64url "." [ base64url ] )
    tokens   = [ text *( "&" text ) ]
    values   = [ text "=" text *( "&" text "=" text ) ]   ; keys ascending
    previous = "" / ( base-id ":" until ":" *( "&" text ) )  ; names ascending
    section  = namespace ":" salt ":" values              ; names ascending
    salt     = "" / 16 hex digits

Times are whole seconds since 1970-01-01T00:00Z, in decimal.  Hex digits are
lower case.  ``text`` is a WSGI native string: as it is, if it has letters,
digits and ``- . _ ~ / @ +`` only; else ``*`` and its bytes in base64url without
padding (RFC 4648).  The whole of it lies in the cookie-octet of RFC 6265.
"""
from __future__ import annotations

import re
from binascii import a2b_base64, b2a_base64
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from .errors import Malformed

# RFC 3986 "unreserved", and what mount points and mail addresses are full of
LITERAL = ('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'
           '-._~/@+')

# U+0000-001F and U+007F are no part of any text: they end up in headers.
# U+0080-009F are: UTF-8 read as latin-1 (PEP 3333) is full of them.
NATIVE_TEXT = re.compile('[\x20-\x7e\x80-\xff]*')

MAX_SECTIONS = 32  # namespaces with something to keep, in one cookie

# bytes.translate(None, these) leaves what is not among them
_LITERAL = LITERAL.encode('ascii')
_TO_URL = bytes.maketrans(b'+/', b'-_')
_FROM_URL = bytes.maketrans(b'-_', b'+/')
_NATIVE = bytes(code for code in range(256) if NATIVE_TEXT.fullmatch(chr(code)))
_ALPHABET = _LITERAL + b'!:&=*'

_CHARS = re.escape(LITERAL)
_make = tuple.__new__
_LITERALS = re.compile(f'[{_CHARS}]*')
_ID = '[0-9a-f]{32,128}'
_TIME = '[1-9][0-9]{0,11}'
_HEAD = re.compile(f'({_ID})!({_TIME})!({_TIME})!({_TIME})!({_TIME})!')
_LOGIN = re.compile(f'([0-9a-f]{{32}}):({_TIME}):([^:&=]*):([^:&=]+):([^:=]*)')
# without values, previous, sections, and base64
_PLAIN = re.compile(
    f'({_ID})!({_TIME})!({_TIME})!({_TIME})!({_TIME})!'
    f'(?:([0-9a-f]{{32}}):({_TIME}):([{_CHARS}]*):([{_CHARS}]+):'
    f'((?:[{_CHARS}]+(?:&[{_CHARS}]+)*)?))?!!')
_JWS = re.compile('[A-Za-z0-9_-]+[.][A-Za-z0-9_-]+[.][A-Za-z0-9_-]*')
_PREVIOUS = re.compile(f'({_ID}):({_TIME}):((?:&[^:=]*)?)')
_SECTION = re.compile('([^:&=]*):((?:[0-9a-f]{16})?):([^:]*)')
# printable ASCII without comma and space
_TOKEN = re.compile(r'[!-+\--~]+')


class Login(NamedTuple):
    """
    Who is logged in for the whole site, as the cookie has it.

    A signed login has its JWS (``jws.LoginKeys``).  As it is decoded it has
    nothing else, and is dated before any session, so no filter takes it
    without having verified it.
    """

    id: str                  # 32 hex digits, random; what a revocation names
    at: int                  # Unix time of the login
    by: str                  # the namespace that logged the user in
    user: str                # native string: UTF-8 read as latin-1
    tokens: tuple[str, ...]  # the user's groups
    jws: str = ''            # compact; '' for a plain login

    def __repr__(self) -> str:
        return f'<Login of {self.user!r}>'


class Previous(NamedTuple):
    """The base ID from before the login, kept for a while."""

    base_id: str
    until: int               # Unix time
    salted: frozenset[str]   # namespaces that had a salt under it

    def __repr__(self) -> str:
        return '<Previous base ID>'


class Section(NamedTuple):
    """What one namespace has in the cookie."""

    salt: str                # '' or 16 hex digits
    values: Mapping[str, str]

    def __repr__(self) -> str:
        return f'<Section with {len(self.values)} values>'


NO_VALUES: Mapping[str, str] = MappingProxyType({})
NO_SECTION = Section('', NO_VALUES)
NO_SECTIONS: Mapping[str, Section] = MappingProxyType({})


class Payload(NamedTuple):
    """All that a cookie says.  Times are Unix times in whole seconds."""

    base_id: str
    created: int
    issued: int
    idle: int                # expires when not used until then
    absolute: int            # expires then, whatever happens
    login: Login | None
    values: Mapping[str, str]            # the site's
    previous: Previous | None
    sections: Mapping[str, Section]      # namespace -> Section

    def __repr__(self) -> str:
        # debug pages show the locals of every frame; base ID and values are
        # no business of theirs
        return f'<Payload issued at {self.issued}>'


def encode(payload: Payload) -> str:
    """The text of a payload.  Raises ValueError for what is not native text."""
    sections = ''.join([
        f'!{encode_section(name, payload.sections[name])}'
        for name in sorted(payload.sections)]) if payload.sections else ''
    # no local has the base ID: one of the parts may raise
    return (f'{payload.base_id}!{payload.created}!{payload.issued}!{payload.idle}!'
            f'{payload.absolute}!{encode_login(payload.login)}!'
            f'{encode_values(payload.values)}!{_encode_previous(payload.previous)}{sections}')


def decode(text: str) -> Payload:
    """The payload of a text.  Raises Malformed for any but encode()'s texts."""
    if text.endswith('!!') and (plain := _PLAIN.fullmatch(text)):
        return _decode_plain(plain)
    # the alphabet is checked once, for all parts
    if text.encode('ascii', 'replace').translate(None, _ALPHABET):
        raise Malformed('a character that is not in the alphabet')
    head = _HEAD.match(text)
    if head is None:
        raise Malformed('base ID or times')
    base_id, created, issued, idle, absolute = head.groups()
    try:
        login, values, previous, *sections = text[head.end():].split('!')
        return Payload(
            base_id, int(created), int(issued), int(idle), int(absolute),
            _decode_login(login) if login else None,
            _decode_values(values) if values else NO_VALUES,
            _decode_previous(previous) if previous else None,
            _decode_sections(sections) if sections else NO_SECTIONS)
    except ValueError:
        # a part is missing, or is not of the form that is written
        raise Malformed('a part of the payload') from None


def _decode_plain(match: re.Match[str]) -> Payload:
    """What most cookies say: an ID, perhaps a login, and nothing in base64."""
    base_id, created, issued, idle, absolute, login_id, at, by, user, groups = match.groups()
    tokens = tuple(groups.split('&')) if groups else ()
    if tokens and len(set(tokens)) < len(tokens):
        raise Malformed('a token twice')
    # made directly: the constructors of named tuples take three times as long
    login = None if login_id is None else _make(
        Login, (login_id, int(at), by, user, tokens, ''))
    return _make(Payload, (
        base_id, int(created), int(issued), int(idle), int(absolute), login, NO_VALUES, None,
        NO_SECTIONS))


def encode_text(text: str) -> str:
    """A native string for the cookie.  Raises ValueError if it is not one."""
    if _LITERALS.fullmatch(text):
        return text
    try:
        data = text.encode('latin-1')
    except UnicodeEncodeError:
        raise ValueError('not a native string (PEP 3333)') from None
    if data.translate(None, _NATIVE):
        raise ValueError('a control character')
    return '*' + _to_base64(data)


def _to_base64(data: bytes) -> str:
    """base64url without padding."""
    return b2a_base64(data, newline=False).translate(_TO_URL).rstrip(b'=').decode('ascii')


def _from_base64(text: str) -> bytes:
    """The bytes of base64url.  Raises ValueError for any but _to_base64()'s texts."""
    data = a2b_base64(text.encode('ascii').translate(_FROM_URL) + b'==')
    # what is no base64 was left out, and two alphabets were read; bits can only
    # be wrong in what is not a whole group
    whole = len(text) // 4
    if (len(data) != len(text) * 3 // 4 or '+' in text or '/' in text
            or _to_base64(data[3 * whole:]) != text[4 * whole:]):
        raise ValueError('not what is written for these bytes')
    return data


def decode_text(text: str) -> str:
    """The native string of what :func:`encode_text` wrote.  Raises ValueError
    for anything else in the alphabet."""
    if '*' not in text:
        return text
    data = _from_base64(text[1:])   # a star is no base64: it can only come first
    native = data.decode('latin-1')
    if _LITERALS.fullmatch(native) or data.translate(None, _NATIVE):
        raise ValueError('not what is written for this text')
    return native


def encode_login(login: Login | None) -> str:
    if login is None:
        return ''
    if login.jws:
        return login.jws
    tokens = '&'.join(map(encode_text, login.tokens)) if login.tokens else ''
    return (f'{login.id}:{login.at}:{encode_text(login.by)}:{encode_text(login.user)}:'
            f'{tokens}')


def _decode_login(text: str) -> Login:
    if ':' not in text:
        return _decode_jws(text)
    login_id, at, by, user, tokens = _groups(_LOGIN, text)
    login = Login(login_id, int(at), decode_text(by), decode_text(user),
                  _decode_tokens(tokens) if tokens else ())
    if '*' in user:
        # raises a ValueError if it is not UTF-8
        login.user.encode('latin-1').decode('utf-8')
    return login


def _decode_jws(text: str) -> Login:
    """A login that says nothing before somebody has verified it."""
    if not _JWS.fullmatch(text):
        raise ValueError('not of the form')
    for part in text.split('.'):
        _from_base64(part)
    return Login('', 0, '', '', (), text)


def _decode_tokens(text: str) -> tuple[str, ...]:
    tokens = tuple(map(decode_text, text.split('&')))
    if len(set(tokens)) < len(tokens) or not all(map(is_token, tokens)):
        raise ValueError('not tokens')
    return tokens


def is_token(token: str) -> bool:
    """Whether it is printable ASCII without comma and space, and not empty."""
    return bool(_TOKEN.fullmatch(token))


def encode_values(values: Mapping[str, str]) -> str:
    if not values:
        return ''
    return '&'.join([f'{encode_text(key)}={encode_text(values[key])}'
                     for key in sorted(values)])


def _decode_values(text: str) -> Mapping[str, str]:
    if ':' in text:
        raise ValueError('not values')
    values: dict[str, str] = {}
    pairs = text.split('&')
    for pair in pairs:
        key, equals, value = pair.partition('=')
        if not equals or '=' in value:
            raise ValueError('not values')
        values[decode_text(key)] = decode_text(value)
    if len(pairs) > 1:
        _check_ascending(values, len(pairs))
    return MappingProxyType(values)  # many requests share what was verified once


def _encode_previous(previous: Previous | None) -> str:
    if previous is None:
        return ''
    names = ''.join([f'&{encode_text(name)}' for name in sorted(previous.salted)])
    return f'{previous.base_id}:{previous.until}:{names}'


def _decode_previous(text: str) -> Previous:
    base_id, until, names = _groups(_PREVIOUS, text)
    salted = [decode_text(name) for name in names.split('&')[1:]]
    _check_ascending(dict.fromkeys(salted), len(salted))
    return Previous(base_id, int(until), frozenset(salted))


def encode_section(name: str, section: Section) -> str:
    return f'{encode_text(name)}:{section.salt}:{encode_values(section.values)}'


def _decode_sections(texts: list[str]) -> Mapping[str, Section]:
    if len(texts) > MAX_SECTIONS:
        raise ValueError('too many sections')
    sections = {}
    for text in texts:
        name, salt, values = _groups(_SECTION, text)
        if not salt and not values:
            raise ValueError('an empty section')
        sections[decode_text(name)] = Section(
            salt, _decode_values(values) if values else NO_VALUES)
    _check_ascending(sections, len(texts))
    return MappingProxyType(sections)


def _groups(pattern: re.Pattern[str], text: str) -> tuple[str, ...]:
    match = pattern.fullmatch(text)
    if match is None:
        raise ValueError('not of the form')
    return match.groups()


def _check_ascending(names: Iterable[str], count: int) -> None:
    """One order, and no name twice: so there is one text for one payload."""
    ordered = list(names)
    if len(ordered) != count or ordered != sorted(ordered):
        raise ValueError('not in order')
