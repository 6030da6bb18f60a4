"""
Inspection: what a cookie is, and why it is refused
===================================================

The filter itself says what it makes of the cookie; the rest is read from the
payload, once its signature is found to be good.  No session ID, login ID, key or
tag is in what comes of it, and values only where they are asked for.
"""
from __future__ import annotations

import os
import re
import time
from collections.abc import Iterable, Iterator, Sequence
from itertools import product
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import unquote

from .control import SessionControl
from .cookie import HOST_NAME, PLAIN_NAME, SessionCookieHandler
from .encoding import Payload
from .environ import CONTROL
from .filters import Filter
from .headers import CookieFinder
from .login import text_user
from .signer import MAX_COOKIE, MAX_DURATION, SessionCookieSigner, too_large

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse

ACCEPTED = ('ok', 'renewed')

#: what each status means to who asks why
MEANINGS = {
    'ok': 'accepted',
    'renewed': 'accepted, and due to be sent again',
    'new': 'there is no cookie of this name',
    'expired-idle': 'refused: it was not used for longer than timeout',
    'expired-absolute': 'refused: it is older than lifetime',
    'bad-signature': 'refused: it was changed or cut off on its way',
    'unknown-key': 'refused: it was signed with another secret, or for another cookie_name, '
                   'domain or path',
    'malformed': 'refused: it is not what any server of this site writes',
    'too-large': f'refused: it is longer than the {MAX_COOKIE} characters that browsers keep',
    'conflict': 'refused: there are several of this name, and a browser keeps one: somebody, '
                'perhaps a sibling host, has set another',
    'bad-login': 'refused: its login is not signed with one of the login keys, or it has a '
                 'time that cannot be',
    'revoked': 'refused: its user has logged out, or was revoked, or it is older than '
               'not_before',
    'unavailable': 'refused for now: the revocation list does not answer',
}

_OURS = re.compile(r'1\.[0-9a-f]{8}\.')
_HEADER = re.compile(r'(?:-H|--header|-b|--cookie)\s+|(?:(Set-)?Cookie)\s*:\s*', re.IGNORECASE)
_NAME = "[!#$%&'*+.^_`|~0-9A-Za-z-]+"  # RFC 9110, 5.6.2
_PAIR = re.compile(rf'(?:^|;)\s*({_NAME})=([^;,\s]*)')
# in what has more than one line, or tabs: a request, a command, a table, a file of cookies
_COPIED = re.compile(r'([!#$%&*+.^_|~0-9A-Za-z-]+)["\']?\s*[=:\t]\s*["\']?'
                     r'(1\.[0-9a-f]{8}\.[!#-&(-+.-:<-\[\]^_a-~-]+)')


class Row(NamedTuple):
    """One line of the answer."""

    label: str
    text: str


class Pasted(NamedTuple):
    """What somebody has copied from a browser, a log or a terminal."""

    header: str                  # as in a Cookie header, or one value alone
    attributes: dict[str, str]   # of a Set-Cookie
    bare: bool                   # a value alone

    def pairs(self) -> list[tuple[str, str]]:
        return [] if self.bare else _PAIR.findall(self.header)


def pasted(text: str) -> Pasted:
    """What is meant by a value, by ``name=value``, or by a header."""
    text, is_response = _without_wrapping(text)
    attributes = {}
    copied = _COPIED.findall(text)
    if copied and not is_response and re.search(r'[^ -~]|["\']|^[<>] ', text):
        text = '; '.join(f'{name}={value}' for name, value in copied)
    if is_response:
        text, *rest = text.split(';')
        attributes = {name.strip().lower(): value.strip()
                      for name, _, value in (each.partition('=') for each in rest)}
    bare = bool(_OURS.match(text)) or '=' not in text
    return Pasted(text.strip(), attributes, bare)


def _without_wrapping(text: str) -> tuple[str, bool]:
    """Without quotes, the header's name and curl's options; whether it was Set-Cookie."""
    is_response = False
    while True:
        before, text = text, text.strip().strip('\\').strip()
        if len(text) > 1 and text[0] == text[-1] and text[0] in '\'"':
            text = text[1:-1]
        if match := _HEADER.match(text):
            is_response |= bool(match[1])
            text = text[match.end():]
        if text == before:
            return text, is_response


def inspect(filters: Sequence[Filter], text: str, with_values: bool,
            now: float | None = None) -> tuple[str, list[Row]]:
    """
    The status of a cookie at one of the filters, and what there is to know.

    ``filters``: the outer ones of a site, without faults, at least one.  The one
    that accepts the cookie answers, else the first of the cookie's name.
    """
    now = time.time() if now is None else now
    cookie = pasted(text)
    names = [name for name, _ in cookie.pairs()]
    named = [each for each in filters if each.handler.cookie_name in names] or list(filters)
    answers = [_Inspection(each, filters, cookie, with_values, now) for each in named]
    best = next((each for each in answers if each.status in ACCEPTED), answers[0])
    return best.status, list(best.rows())


class _Inspection:
    """One cookie at one filter."""

    def __init__(self, one: Filter, all_filters: Sequence[Filter], cookie: Pasted,
                 with_values: bool, now: float) -> None:
        self.one = one
        self.all_filters = all_filters
        self.cookie = cookie
        self.with_values = with_values
        self.now = now
        self.name = one.handler.cookie_name
        header = f'{self.name}={cookie.header}' if cookie.bare else cookie.header
        self.candidates = CookieFinder(self.name).find(header)
        self.asked = _has_list(one)
        self.control = _control(one, header, self.asked)
        self.status = self.control.status

    def rows(self) -> Iterator[Row]:
        place = self.one.place
        yield Row('status', f'{self.status}: {MEANINGS[self.status]}')
        yield Row('judged by', f'[{place.section}] in {place.file}, cookie {self.name}')
        if not self.candidates:
            yield from self._other_names()
        for number, value in enumerate(self.candidates):
            if len(self.candidates) > 1:
                yield Row('cookie', f'number {number + 1} of {len(self.candidates)}')
            yield from self._of_one(self.name, value)

    def _other_names(self) -> Iterator[Row]:
        pairs = self.cookie.pairs()
        if pairs:
            # what ends in "=" may be a value alone, in base 64
            names = dict.fromkeys(name for name, value in pairs if value.strip('='))
            yield Row('there are', ', '.join(names) or 'others, without a value')
        for name, value in pairs:
            if _OURS.match(value):
                yield from self._of_one(name, value)

    def _of_one(self, name: str, value: str) -> Iterator[Row]:
        yield Row('size', f'{len(name) + len(value)} of at most {MAX_COOKIE} characters, name '
                          'and value')
        found = self._origin(name, value)
        if found is None and '%' in value:
            decoded = unquote(value)
            found = self._origin(name, decoded)
            if found is not None:
                value = decoded
                yield Row('encoding', 'the value is percent-encoded here, as no server of '
                                      'this site writes it: something on its way does that')
        if found is None:
            yield Row('signature', 'no secret of this file has signed it as it is')
            return
        yield Row('signed with', found.secret)
        if found.differs:
            yield Row('made for', f'{found.differs}; this section has '
                                  f'{_scope(self.name, *_domain_and_path(self.one))}')
        yield from self._of_payload(found.payload)

    def _origin(self, name: str, value: str) -> _Origin | None:
        """Who has signed a value: this section's secrets for its own cookie come first."""
        issued = re.fullmatch(r'(?:[^!]*!){2}([0-9]{1,12})!.*', value, re.DOTALL)
        if issued is None:
            return None
        others = [each for each in self.all_filters if each is not self.one]
        for one, scope in _scopes(self.one, others, name, self.cookie.attributes):
            for secret, shown in _secrets(one, self.one):
                payload = _payload(secret, scope, value, int(issued[1]))
                if payload is not None:
                    own = scope == (self.name, *_domain_and_path(self.one))
                    return _Origin(payload, shown, '' if own else _scope(*scope))
        return None

    def _of_payload(self, payload: Payload) -> Iterator[Row]:
        signer = self.one.handler.signer
        yield Row('created', self._time(payload.created))
        yield Row('sent', self._time(payload.issued))
        yield Row('idle end', self._time(signer.idle_end(payload)))
        yield Row('last end', self._time(signer.absolute_end(payload)))
        yield from self._of_login(payload)
        for part, size in too_large(payload, 0).sizes.items():
            if part != 'login' and (size or part != 'site'):
                yield Row('values of the site' if part == 'site' else f'values of {part}',
                          f'{size} characters')
                yield from self._of_values(payload, part)

    def _of_values(self, payload: Payload, part: str) -> Iterator[Row]:
        if not self.with_values:
            return
        values = payload.values if part == 'site' else next(
            section.values for name, section in payload.sections.items() if repr(name) == part)
        for key, value in values.items():
            yield Row('', f'{key} = {value!r}')

    def _of_login(self, payload: Payload) -> Iterator[Row]:
        login = payload.login
        if login is None:
            yield Row('login', 'none')
            return
        identity = self.control.identity
        kind = 'signed with a login key' if login.jws else 'plain'
        if login.jws and identity is None:
            yield Row('login', kind)
        else:
            at, by, tokens = ((identity.at, identity.by, identity.tokens) if identity
                              else (login.at, login.by, login.tokens))
            groups = f'{len(tokens)} group{"s" * (len(tokens) != 1)}'
            yield Row('login', f'{self._time(at)}, by {by or "the site"!r}, in {groups}, '
                               f'{kind}')
            if self.with_values:
                user = identity.user if identity else text_user(login.user)
                yield Row('', f'user = {user!r}, groups = {", ".join(tokens)}')
        yield Row('revocation', self._of_list())

    def _of_list(self) -> str:
        kind = self.one.engine[0]
        if kind == 'none':
            return 'none is configured'
        if kind == 'memory':
            return 'only the process of the server knows: the list is in its memory'
        if not self.asked:
            return f'the list is not there yet ({kind})'
        if self.status == 'revoked':
            return f'on the list ({kind}), or before not_before'
        if self.status == 'unavailable':
            return f'the list does not answer ({kind})'
        return f'not on the list ({kind})' if self.status in ACCEPTED else 'not looked up'

    def _time(self, moment: int) -> str:
        utc = time.strftime('%Y-%m-%d %H:%M:%S', time.gmtime(moment))
        return f'{age(moment - self.now)} ({utc} UTC)'


class _Origin(NamedTuple):
    """Who has signed a cookie."""

    payload: Payload
    secret: str
    differs: str  # for which name, domain and path, if not for this section's


def age(seconds: float) -> str:
    """Seconds from now, for people: ``3 h 20 min ago``, ``in 12 s``."""
    left = int(abs(seconds))
    parts: list[str] = []
    for unit, size in (('d', 86400), ('h', 3600), ('min', 60), ('s', 1)):
        count, left = divmod(left, size)
        if count or (unit == 's' and not parts):
            parts.append(f'{count} {unit}')
    text = ' '.join(parts[:2])
    return f'in {text}' if seconds > 0 else f'{text} ago'


def _has_list(one: Filter) -> bool:
    """Whether there is a list to ask, which inspecting does not make."""
    kind, address = one.engine
    return kind in ('redis', 'custom') or kind == 'sqlite' and os.path.exists(address)


def _control(one: Filter, header: str, asked: bool) -> SessionControl:
    """What the filter makes of a Cookie header."""
    handler: SessionCookieHandler = one.handler
    if asked:
        handler = one.with_list()
    seen: list[SessionControl] = []

    def application(environ: dict[str, Any], start_response: StartResponse) -> list[bytes]:
        seen.append(environ[CONTROL])
        return []

    handler.application = application
    handler({'REQUEST_METHOD': 'GET', 'wsgi.url_scheme': 'https', 'HTTP_COOKIE': header,
             'HTTP_SEC_FETCH_MODE': 'cors'}, _ignore)
    return seen[0]


def _ignore(status: str, headers: Any, exc_info: Any = None) -> Any:
    """A start_response that nobody calls."""


_Scope = tuple[str, str, str]  # cookie name, domain, path


def _domain_and_path(one: Filter) -> tuple[str, str]:
    return one.values['domain'], one.values['path']


def _scope(name: str, domain: str, path: str) -> str:
    return f'cookie_name = {name}, domain = {domain or "(none)"}, path = {path}'


def _scopes(one: Filter, others: Iterable[Filter], name: str,
            attributes: dict[str, str]) -> Iterator[tuple[Filter, _Scope]]:
    """What a cookie may have been made for: its own section's, another's, a neighbour's."""
    filters = [one, *others]
    for each in filters:
        yield each, (each.handler.cookie_name, *_domain_and_path(each))
    names = [name, one.handler.cookie_name, HOST_NAME, PLAIN_NAME]
    domains = [*_parents(one.values['domain']), '',
               *_parents(attributes.get('domain', '').lstrip('.').lower())]
    paths = [one.values['path'], '/', attributes.get('path', '/')]
    paths += [str(each.part.mount) for each in filters]
    for scope in product(*map(dict.fromkeys, (names, domains, paths))):
        for each in filters:
            yield each, scope


def _parents(domain: str) -> list[str]:
    """A host name, and the domains that it is in."""
    labels = domain.split('.') if domain else []
    return ['.'.join(labels[number:]) for number in range(len(labels))]


def _secrets(each: Filter, one: Filter) -> Iterator[tuple[bytes, str]]:
    where = '' if each is one else f', of [{each.place.section}] in {each.place.file}'
    yield each.values['secret'], f'secret, the current one{where}'
    for number, secret in enumerate(each.values['accept_secrets'], 1):
        yield secret, f'number {number} of accept_secrets{where}'


def _payload(secret: bytes, scope: _Scope, value: str, issued: int) -> Payload | None:
    """What a value says if the secret has signed it, whatever its times are."""
    name, domain, path = scope
    patient = MAX_DURATION / 60
    signer = SessionCookieSigner(secret, patient, lifetime=patient, cookie_name=name,
                                 domain=domain, path=path, cache_verified=False)
    found = signer.auth(value, now=issued)
    return found if isinstance(found, Payload) else None
