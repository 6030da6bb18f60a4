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
lower case.  ``text`` is a WSGI native string.  If it has only letters, digits,
``- . _ ~ / @ + [ ] { }`` and what is exchanged for another character (EXCHANGED), it is
written character by character; else it is ``*`` and its bytes in base64url without
padding (RFC 4648).  The whole of it lies in the cookie-octet of RFC 6265.
"""
from __future__ import annotations

import functools
import re
import string
from binascii import a2b_base64, b2a_base64
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, NamedTuple, TypeAlias

from .errors import Malformed
from .sessionid import SessionID, derive

# RFC 3986 "unreserved", and what mount points and mail addresses are full of
LITERAL = ('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'
           '-._~/@+')

# what else lists, JSON and queries are full of: it may not stand in a cookie, or means
# something in ours, and is written as another character: which for which, so that
# firewalls take few texts for commands
EXCHANGED = {' ': '^', '"': '?', ',': ')', ';': '(', ':': '#', '=': '$', '&': '|'}
_UNCHANGED = {each: each for each in LITERAL + '[]{}'}

# U+0000-001F and U+007F are no part of any text: they end up in headers.
# U+0080-009F are: UTF-8 read as latin-1 (PEP 3333) is full of them.
_NATIVE_TEXT = re.compile('[\x20-\x7e\x80-\xff]*')


def is_native(text: str) -> bool:
    """Whether a string is a text of ours."""
    # the first is no more than a short cut
    return (text.isascii() and text.isprintable()) or _NATIVE_TEXT.fullmatch(text) is not None


MAX_SECTIONS = 32  # namespaces with something to keep, in one cookie
MOST_PARTS = 8     # namespaces that are remembered with a cookie
MOST_NAMES = 256   # whose text is remembered

_CHARS = re.escape(LITERAL)


def _table(changes: Mapping[str, str]) -> bytes:
    """For bytes.translate(), which is far quicker than a regular expression: what is not
    among the changes becomes a NUL."""
    return bytes(ord(changes.get(chr(code), '\0')) for code in range(256))


_WRITTEN = _table(_UNCHANGED | EXCHANGED)
_READ = _table(_UNCHANGED | {there: here for here, there in EXCHANGED.items()})
_NATIVE = _table({each: each for each in map(chr, range(256)) if _NATIVE_TEXT.fullmatch(each)})
# base64: the characters without bits that stand for nothing, by how many are in the last group
_LAST = (string.ascii_letters + string.digits + '-_', '', 'AQgw', 'AEIMQUYcgkosw048')
_ID = '[0-9a-f]{32,128}'
_TIME = '[1-9][0-9]{0,11}'
# up to the login: nobody, or a plain one without base64, or anything; and the rest
_START = re.compile(
    f'({_ID})!({_TIME})!({_TIME})!({_TIME})!({_TIME})!'
    f'(?:([0-9a-f]{{32}}):({_TIME}):([{_CHARS}]*):([{_CHARS}]+):'
    f'([{_CHARS}&]*)|([^!]*))!(.*)', re.DOTALL)
_LOGIN = re.compile(f'([0-9a-f]{{32}}):({_TIME}):([^:&=]*):([^:&=]+):([^:=]*)')
_JWS = re.compile('[A-Za-z0-9_-]+[.][A-Za-z0-9_-]+[.][A-Za-z0-9_-]*')
_PREVIOUS = re.compile(f'({_ID}):({_TIME}):((?:&[^:=]*)?)')
_SECTION = re.compile('((?:[0-9a-f]{16})?):([^:]*)')
# printable ASCII without comma and space
_TOKEN = re.compile(r'[!-+\--~]+')


@dataclass(slots=True)
class Login:
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
# likewise; a plain tuple is quicker to take apart
_NOTHING: tuple[str, Mapping[str, str]] = '', NO_VALUES
Part: TypeAlias = tuple[SessionID, str, Mapping[str, str]]


class Payload:
    """
    All that a cookie says.  Times are Unix times in whole seconds.

    Many requests share the payload of a cookie that was verified before: what it says
    is then never changed, only found out.
    """

    __slots__ = ('base_id', 'created', 'issued', 'idle', 'absolute', 'login', 'values',
                 'previous', 'verified', '_sections', '_parts')

    def __init__(self, base_id: str, created: int, issued: int, idle: int, absolute: int,
                 login: Login | None = None, values: Mapping[str, str] = NO_VALUES,
                 previous: Previous | None = None,
                 sections: Mapping[str, Section] | str = '') -> None:
        """``sections``: by namespace, or the text of them all, each behind a "!"."""
        self.base_id = base_id
        self.created = created
        self.issued = issued
        self.idle = idle               # expires when not used until then
        self.absolute = absolute       # expires then, whatever happens
        self.login = login
        self.values = values           # the site's
        self.previous = previous
        #: for a signed login: whose keys verified it, it, and the payload with it
        self.verified: tuple[object, Login, Payload] | None = None
        self._sections = sections
        self._parts: dict[str, Part] = {}

    def part(self, namespace: str) -> Part:
        """One namespace's session ID, salt and values."""
        parts = self._parts
        part = parts.get(namespace)
        if part is None:
            salt, values = self._section(namespace) if self._sections else _NOTHING
            if len(parts) >= MOST_PARTS:
                parts.clear()
            part = parts[namespace] = (derive(self.base_id, namespace, salt), salt, values)
        return part

    def _section(self, namespace: str) -> Section:
        sections = self._sections  # read once: another thread may decode them meanwhile
        if not isinstance(sections, str):
            return sections.get(namespace, NO_SECTION)
        _, found, rest = sections.partition(f'!{_encode_name(namespace)}:')
        try:
            return _decode_section(rest.partition('!')[0]) if found else NO_SECTION
        except ValueError:
            return NO_SECTION

    @property
    def sections(self) -> Mapping[str, Section]:
        """Those of all namespaces.  What is not of the form is not there."""
        sections = self._sections
        if isinstance(sections, str):
            sections = self._sections = _decode_sections(sections)
        return sections

    @sections.setter
    def sections(self, sections: Mapping[str, Section]) -> None:
        self._sections = sections
        self._parts = {}

    def section_count(self) -> int:
        sections = self._sections
        if not sections:
            return 0  # count() looks long at nothing
        return sections.count('!') if isinstance(sections, str) else len(sections)

    def sections_text(self) -> str:
        """As it stands in the cookie."""
        sections = self._sections
        if isinstance(sections, str):
            return sections
        return ''.join([f'!{encode_section(name, sections[name])}'
                        for name in sorted(sections)])

    def replace(self, **changes: Any) -> Payload:
        """Another payload, with these changes."""
        other = self.dated(self.issued, self.idle)
        for name, value in changes.items():
            setattr(other, name, value)
        return other

    def dated(self, issued: int, idle: int) -> Payload:
        """Another payload, with these times."""
        return Payload(self.base_id, self.created, issued, idle, self.absolute, self.login,
                       self.values, self.previous, self._sections)

    def says_the_same(self, other: Payload) -> bool:
        """Whether they differ in nothing but when they were issued."""
        # another login, and another beginning, come with another base ID
        return (self.base_id == other.base_id and self.values == other.values and (
            self._sections is other._sections or self.sections == other.sections))

    def __eq__(self, other: object) -> bool:
        return (isinstance(other, Payload) and self.sections == other.sections
                and all(getattr(self, name) == getattr(other, name) for name in _FIELDS))

    def __repr__(self) -> str:
        # debug pages show the locals of every frame; base ID and values are
        # no business of theirs
        return f'<Payload issued at {self.issued}>'


_FIELDS = ('base_id', 'created', 'issued', 'idle', 'absolute', 'login', 'values', 'previous')


# an object without __init__(), which is dearer than to set each attribute
_new = object.__new__


def encode(payload: Payload) -> str:
    """The text of a payload.  Raises ValueError for what is not native text."""
    # no local has the base ID: one of the parts may raise
    created = str(payload.created)
    login = '' if payload.login is None else encode_login(payload.login)
    values = encode_values(payload.values) if payload.values else ''
    previous = _encode_previous(payload.previous) if payload.previous else ''
    sections = payload.sections_text() if payload._sections else ''
    issued = created if payload.issued == payload.created else str(payload.issued)
    return (f'{payload.base_id}!{created}!{issued}!{payload.idle}!{payload.absolute}!'
            f'{login}!{values}!{previous}{sections}')


def decode(text: str, start: int = 0) -> Payload:
    """
    The payload of a text, of which it is all from ``start`` on.  Raises Malformed for
    any but encode()'s texts.

    A section is looked at when its namespace asks; one that is not of the form is
    then not there.
    """
    match = _START.match(text, start)
    if match is None:
        raise Malformed('base ID or times')
    (base_id, created, issued, idle, absolute,
     login_id, at, by, user, groups, odd, rest) = match.groups()
    payload = _new(Payload)
    payload.base_id = base_id
    # int() takes as long as four calls, and most sessions were neither begun before
    # their login nor renewed since
    payload.created = begun = int(created)
    payload.issued = begun if issued == created else int(issued)
    payload.idle = int(idle)
    payload.absolute = int(absolute)
    payload.verified = None
    payload._parts = {}
    try:
        if login_id:
            payload.login = login = _new(Login)
            login.id = login_id
            login.at = begun if at == created else int(at)
            login.by = by
            login.user = user
            login.tokens = _distinct(groups.split('&')) if groups else ()
            login.jws = ''
        else:
            payload.login = _decode_login(odd) if odd else None
        if rest == '!':
            payload.values, payload.previous, payload._sections = NO_VALUES, None, ''
        else:
            payload.values, payload.previous, payload._sections = _decode_rest(rest)
    except ValueError:
        # a part is missing, or is not of the form that is written
        raise Malformed('a part of the payload') from None
    return payload


def _decode_rest(text: str) -> tuple[Mapping[str, str], Previous | None, str]:
    """What is behind the login: values, previous, and the text of the sections."""
    values, _, rest = text.partition('!')
    previous, mark, sections = rest.partition('!')
    # sections are passed on as they are, into a header
    if (len(values) == len(text) or sections.count('!') >= MAX_SECTIONS
            or not (sections.isascii() and sections.isprintable())):
        raise ValueError('a part is missing, there are too many, or one is no text')
    return (_decode_values(values) if values else NO_VALUES,
            _decode_previous(previous) if previous else None, mark + sections)


def encode_text(text: str) -> str:
    """A native string for the cookie.  Raises ValueError if it is not one."""
    if text.isalnum() and text.isascii():
        return text  # no more than a short cut
    try:
        data = text.encode('latin-1')
    except UnicodeEncodeError:
        raise ValueError('not a native string (PEP 3333)') from None
    written = data.translate(_WRITTEN)
    if 0 not in written:
        return written.decode()
    if 0 in data.translate(_NATIVE):
        raise ValueError('a control character')
    return '*' + _to_base64(data)


def _to_base64(data: bytes) -> str:
    """base64url without padding."""
    text = b2a_base64(data).decode()
    # replace() leaps from one to the next; translate() looks at each character
    return text.replace('+', '-').replace('/', '_').rstrip('=\n')


def _from_base64(text: str) -> bytes:
    """The bytes of base64url.  Raises ValueError for any but _to_base64()'s texts."""
    data = a2b_base64(text.replace('-', '+').replace('_', '/') + '==')
    # what is no base64 was left out, and two alphabets were read
    if (len(data) != len(text) * 3 // 4 or '+' in text or '/' in text
            or text[-1:] not in _LAST[len(text) % 4]):
        raise ValueError('not what is written for these bytes')
    return data


def decode_text(text: str) -> str:
    """The native string of what :func:`encode_text` wrote.  Raises ValueError
    for anything else in the alphabet."""
    if text.isalnum() and text.isascii():
        return text
    if '*' not in text:
        data = text.encode('ascii').translate(_READ)
        if 0 in data:
            raise ValueError('a character that is written in another way')
        return data.decode()
    # behind a star; where one is at another place, the length is wrong
    data = _from_base64(text[1:])
    if 0 not in data.translate(_WRITTEN) or 0 in data.translate(_NATIVE):
        raise ValueError('not what is written for this text')
    return data.decode('latin-1')


# keys, and names of namespaces: few, and in many cookies
_encode_name = functools.lru_cache(maxsize=MOST_NAMES)(encode_text)
_decode_name = functools.lru_cache(maxsize=MOST_NAMES)(decode_text)


def encode_login(login: Login | None) -> str:
    if login is None:
        return ''
    if login.jws:
        return login.jws
    tokens = '&'.join(map(encode_text, login.tokens)) if login.tokens else ''
    return (f'{login.id}:{login.at}:{_encode_name(login.by)}:{encode_text(login.user)}:'
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
    tokens = _distinct(list(map(decode_text, text.split('&'))))
    if not all(map(is_token, tokens)):
        raise ValueError('not tokens')
    return tokens


def _distinct(tokens: list[str]) -> tuple[str, ...]:
    if len(set(tokens)) < len(tokens) or '' in tokens:
        raise ValueError('a token twice, or an empty one')
    return tuple(tokens)


def is_token(token: str) -> bool:
    """Whether it is printable ASCII without comma and space, and not empty."""
    return bool(_TOKEN.fullmatch(token))


def encode_values(values: Mapping[str, str]) -> str:
    pairs = []
    for key in sorted(values) if len(values) > 1 else values:
        pairs.append(f'{_encode_name(key)}={encode_text(values[key])}')
    return '&'.join(pairs)


def _decode_values(text: str) -> Mapping[str, str]:
    if ':' in text:
        raise ValueError('not values')
    values: dict[str, str] = {}
    # split() looks at each character, also when there is nothing to split
    pairs = text.split('&') if '&' in text else [text]
    for pair in pairs:
        key, equals, value = pair.partition('=')
        if not equals or '=' in value:
            raise ValueError('not values')
        values[_decode_name(key)] = decode_text(value)
    if len(pairs) > 1:
        _check_ascending(values, len(pairs))
    return MappingProxyType(values)  # many requests share what was verified once


def _encode_previous(previous: Previous) -> str:
    names = ''.join([f'&{_encode_name(name)}' for name in sorted(previous.salted)])
    return f'{previous.base_id}:{previous.until}:{names}'


def _decode_previous(text: str) -> Previous:
    base_id, until, names = _groups(_PREVIOUS, text)
    salted = [decode_text(name) for name in names.split('&')[1:]]
    _check_ascending(dict.fromkeys(salted), len(salted))
    return Previous(base_id, int(until), frozenset(salted))


def encode_section(name: str, section: Section) -> str:
    return f'{_encode_name(name)}:{section.salt}:{encode_values(section.values)}'


def _decode_sections(text: str) -> Mapping[str, Section]:
    """All sections, each behind a "!"; the first one of a namespace counts."""
    first: dict[str, str] = {}
    for each in text.split('!')[1:]:
        name, colon, rest = each.partition(':')
        if colon:
            first.setdefault(name, rest)
    sections = {}
    for name, rest in first.items():
        try:
            sections[_decode_name(name)] = _decode_section(rest)
        except ValueError:
            pass
    return MappingProxyType(sections)


def _decode_section(text: str) -> Section:
    """A section without its name."""
    salt, values = _groups(_SECTION, text)
    if not salt and not values:
        raise ValueError('an empty section')
    return Section(salt, _decode_values(values) if values else NO_VALUES)


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
