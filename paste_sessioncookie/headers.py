"""
Headers: Cookie in, Set-Cookie and its company out
==================================================

Reading is our own scanner, because the one of the standard library drops
every cookie for one odd neighbour, takes names after commas, and costs three
times as much as all the rest of a request.  Writing is string constants.

RFC 6265, 4.2.1 and 5.4::

    cookie-header = cookie-pair *( ";" SP cookie-pair )
    cookie-pair   = name "=" value
"""
from __future__ import annotations

import re
from collections.abc import Sequence

Headers = list[tuple[str, str]]

_BLANKS = ' \t'
MAX_CANDIDATES = 8  # a browser sends one; more than a few are an attack


class CookieFinder:
    """
    Finds the values of one cookie name in any Cookie header, in linear time.

    A name counts only after ``;`` or at the start: a sibling site can plant
    ``foo=x,name=value``, and a comma would make it ours.  Likewise, a value of
    ours ends at the first comma: no value that we sign has one.
    """

    __slots__ = ('_wanted',)

    def __init__(self, name: str) -> None:
        self._wanted = f'{name}='

    def find(self, header: str) -> Sequence[str]:
        """All different values, in order of appearance; at most one more than
        MAX_CANDIDATES."""
        wanted = self._wanted
        if wanted not in header:
            return ()
        before, _, rest = header.partition(wanted)
        value, _, others = rest.partition(';')
        # what browsers send: ours is there once, and behind one space
        if wanted not in others and (not before or before[-2:] == '; '):
            if ',' in value:
                value = value.partition(',')[0]
            return value.strip(_BLANKS),
        return self._find(header)

    def _find(self, header: str) -> Sequence[str]:
        values: list[str] = []
        start = header.find(self._wanted)
        while start >= 0 and len(values) <= MAX_CANDIDATES:
            end = start + len(self._wanted)
            if _begins_pair(header, start):
                value, end = _value(header, end)
                if value not in values:
                    values.append(value)
            start = header.find(self._wanted, end)
        return tuple(values)


def _begins_pair(header: str, start: int) -> bool:
    """Whether only blanks are between ``start`` and the last ``;`` or the start."""
    while start and header[start - 1] in _BLANKS:
        start -= 1
    return not start or header[start - 1] == ';'


def _value(header: str, start: int) -> tuple[str, int]:
    """The value that begins at ``start``, and where its pair ends."""
    end = header.find(';', start)
    if end < 0:
        end = len(header)
    return header[start:end].partition(',')[0].strip(_BLANKS), end


class CookieWriter:
    """Set-Cookie headers of one name with fixed attributes (RFC 6265, 4.1)."""

    __slots__ = ('name', '_plain', '_secure')

    def __init__(self, name: str, *, path: str = '/', domain: str = '',
                 samesite: str = 'Lax') -> None:
        self.name = name
        attributes = [f'Path={path}', 'HttpOnly', f'SameSite={samesite}']
        if domain:
            attributes.insert(1, f'Domain={domain}')
        self._plain = '; '.join(attributes)
        self._secure = f'{self._plain}; Secure'

    def set(self, value: str, secure: bool, max_age: int | None = None) -> tuple[str, str]:
        """The header that sets the cookie, for ``max_age`` seconds if given."""
        attributes = self._secure if secure else self._plain
        if max_age is not None:
            attributes += f'; Max-Age={max_age}'
        return 'Set-Cookie', f'{self.name}={value}; {attributes}'

    def delete(self, secure: bool) -> tuple[str, str]:
        """The header that deletes the cookie."""
        name, value = self.set('', secure, 0)
        return name, value + '; Expires=Thu, 01 Jan 1970 00:00:00 GMT'


def with_vary_cookie(headers: Headers) -> Headers:
    """The headers, which say that the response depends on the cookie (RFC 9110, 12.5.5)."""
    for header in headers:
        if len(header[0]) == 4 and header[0].lower() == 'vary':
            number = headers.index(header)
            return [*headers[:number], (header[0], _with_cookie(header[1])),
                    *headers[number + 1:]]
    return [*headers, _VARY]


_VARY = ('Vary', 'Cookie')


def _with_cookie(value: str) -> str:
    fields = [field.strip().lower() for field in value.split(',')]
    if 'cookie' in fields or '*' in fields:
        return value
    return f'{value}, Cookie' if value.strip() else 'Cookie'


# the second and third are Varnish's and others', and nginx's
_OF_SHARED_CACHES = ('cdn-cache-control', 'surrogate-control', 'x-accel-expires')
_OF_CACHES = ('cache-control', *_OF_SHARED_CACHES)


def is_public(headers: Headers) -> bool:
    """Whether the response is marked for caches that many visitors share."""
    return any(directive.partition('=')[0].strip().lower() == 'public'
               for directive in _cache_control(headers))


def make_private(headers: Headers) -> None:
    """Keep the response out of shared caches (RFC 9111, 5.2.2), also out of those that
    are told more (RFC 9213)."""
    for header in headers:
        # most names are too short to be one of these
        if len(header[0]) >= len('Cache-Control') and header[0].lower().endswith(_OF_CACHES):
            return _merge_private(headers)
    headers.append(('Cache-Control', 'private'))


def _merge_private(headers: Headers) -> None:
    headers[:] = [header for header in headers
                  if not header[0].lower().endswith(_OF_SHARED_CACHES)]
    directives = _cache_control(headers)
    names = [directive.partition('=')[0].strip().lower() for directive in directives]
    if 'no-store' in names:
        return
    kept = [directive for directive, name in zip(directives, names)
            if name not in ('public', 's-maxage', 'private')]
    headers[:] = [header for header in headers if header[0].lower() != 'cache-control']
    headers.append(('Cache-Control', ', '.join(['private', *kept])))


# a directive is a token, perhaps with a value, perhaps quoted: ``private="x, y"``
_DIRECTIVE = re.compile(r'(?:[^,"]|"(?:[^"\\]|\\.)*"?)+')


def _cache_control(headers: Headers) -> list[str]:
    return [directive.strip()
            for name, value in headers if name.lower() == 'cache-control'
            for directive in _DIRECTIVE.findall(value) if directive.strip()]
