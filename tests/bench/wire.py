"""
Wire: which alphabet the cookie's payload has, by measurement
=============================================================

::

    python tests/bench/wire.py [--instructions]

Five forms write and read the same payloads, each with the same version, key
ID and tag around it:

    ``text``
        the package's own, between separators: character by character, or in base64url
        where it needs another alphabet; alone among the five it checks what it reads
    ``text, percent``
        likewise, but percent-encoded where it needs another alphabet
    ``text, base64``
        likewise, but every text in base64url
    ``JSON, base64``
        what most libraries do; an array, so there are no names in it
    ``packed, base64``
        the best case for base64: binary numbers, hex digits halved, and texts
        between control characters, which no text has: nothing is escaped

Then five tags around the first form: hex digits or base64url, of a keyed HMAC
that is copied, of its two keyed hashes, or of an HMAC that is made anew.

With ``--instructions`` valgrind counts (two minutes), and the figures are
those of ``docs/wire-figures.inc``; else only the wall clock is read, which is noisy.
"""
from __future__ import annotations

import binascii
import hashlib
import hmac
import json
import struct
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple
from urllib.parse import quote, unquote

import measure

from paste_sessioncookie import encoding
from paste_sessioncookie.encoding import Login, Payload, Section

KEY = bytes(range(32))
PREFIX = '1.0a1b2c3d.'
NOW = 1_750_000_000


# -- what is written: each with a login, and with nothing previous -------------

def payload(values: Mapping[str, str], sections: Mapping[str, Section]) -> Payload:
    login = Login('5b' * 16, NOW, '/accounts', 'alice', ('staff', 'editors'))
    return Payload('9f' * 20, NOW, NOW + 60, NOW + 1860, NOW + 43200, login, values, None,
                   sections)


def native(text: str) -> str:
    """Text as environ has it (PEP 3333)."""
    return text.encode('utf-8').decode('latin-1')


PROSE = ('What an editor wrote: "half of it, (perhaps) more", and a link to '
         '/wiki/Page?a=1; the rest follows. ')

PAYLOADS = {
    'small': payload({}, {}),
    'medium': payload({'REMOTE_SESSION': 'list=compact'}, {
        '/blog': Section('', {'weblog.draft': '1742', 'weblog.theme': 'dark'}),
        '/shop': Section('0123456789abcdef', {'shop.basket': '3 items, 17.20 EUR'}),
        '/wiki': Section('', {'wiki.page': '/wiki/FrontPage', 'wiki.skin': 'plain'}),
    }),
    '1 KB of prose': payload({}, {
        '/blog': Section('', {f'weblog.note{n}': (PROSE * 3)[:256] for n in range(4)}),
    }),
    'UTF-8': payload({}, {
        '/blog': Section('', {'weblog.title': native('Żółta łódź podwodna — część 2')}),
        '/wiki': Section('', {'wiki.page': native('Заглавная страница'),
                              'wiki.search': native('日本語の検索エンジン')}),
    }),
}


# -- the forms -----------------------------------------------------------------

class Form(NamedTuple):
    encode: Callable[[Payload], str]
    decode: Callable[[str], Payload]


_TO_URL = bytes.maketrans(b'+/', b'-_')
_FROM_URL = bytes.maketrans(b'-_', b'+/')


def to_base64(data: bytes) -> str:
    """base64url without padding, in fewer steps than the module base64 takes."""
    text = binascii.b2a_base64(data, newline=False)
    return text.translate(_TO_URL).rstrip(b'=').decode('ascii')


def from_base64(text: str) -> bytes:
    return binascii.a2b_base64(text.encode('ascii').translate(_FROM_URL) + b'==')


def text_to_base64(text: str) -> str:
    return to_base64(text.encode('latin-1'))


def text_from_base64(text: str) -> str:
    return from_base64(text).decode('latin-1')


def text_to_percent(text: str) -> str:
    return quote(text, safe=encoding.LITERAL, encoding='latin-1')


def text_from_percent(text: str) -> str:
    return unquote(text, encoding='latin-1') if '%' in text else text


class Body:
    """All but the numbers, as text between four kinds of separators."""

    def __init__(self, separators: str, escape: Callable[[str], str],
                 unescape: Callable[[str], str]) -> None:
        self.part, self.field, self.item, self.pair = separators
        self.escape = escape
        self.unescape = unescape

    def write(self, content: Payload) -> str:
        by, user, tokens = content.login.by, content.login.user, content.login.tokens
        escape = self.escape
        return self.part.join((
            self.field.join((escape(by), escape(user), self.item.join(map(escape, tokens)))),
            self.write_values(content.values),
            '',
            *[self.field.join((escape(name), section.salt, self.write_values(section.values)))
              for name, section in content.sections.items()]))

    def write_values(self, values: Mapping[str, str]) -> str:
        escape, pair = self.escape, self.pair
        return self.item.join([escape(key) + pair + escape(value)
                               for key, value in values.items()])

    def read(self, numbers: list[int], base_id: str, login_id: str, text: str) -> Payload:
        created, issued, idle, absolute, at = numbers
        unescape = self.unescape
        first, values, _, *sections = text.split(self.part)
        by, user, tokens = first.split(self.field)
        login = Login(login_id, at, unescape(by), unescape(user),
                      tuple(map(unescape, tokens.split(self.item))))
        return Payload(base_id, created, issued, idle, absolute, login,
                       self.read_values(values), None, self.read_sections(sections))

    def read_sections(self, texts: list[str]) -> dict[str, Section]:
        sections = {}
        for text in texts:
            name, salt, values = text.split(self.field)
            sections[self.unescape(name)] = Section(salt, self.read_values(values))
        return sections

    def read_values(self, text: str) -> dict[str, str]:
        unescape, pair = self.unescape, self.pair
        if not text:
            return {}
        pairs = [each.split(pair) for each in text.split(self.item)]
        return {unescape(key): unescape(value) for key, value in pairs}


def head(content: Payload) -> tuple[str, int, int, int, int, Login]:
    return (content.base_id, content.created, content.issued, content.idle,
            content.absolute, content.login)


def text_form(body: Body) -> Form:
    """The package's form, with any escapes."""
    def encode(content: Payload) -> str:
        base_id, created, issued, idle, absolute, login = head(content)
        return (f'{base_id}!{created}!{issued}!{idle}!{absolute}!{login.id}:{login.at}:'
                f'{body.write(content)}')

    def decode(text: str) -> Payload:
        base_id, created, issued, idle, absolute, rest = text.split('!', 5)
        login_id, at, rest = rest.split(':', 2)
        return body.read(list(map(int, (created, issued, idle, absolute, at))),
                         base_id, login_id, rest)

    return Form(encode, decode)


def json_form() -> Form:
    write = json.JSONEncoder(ensure_ascii=False, separators=(',', ':')).encode
    read = json.JSONDecoder().decode

    def encode(content: Payload) -> str:
        *times, login = head(content)
        return to_base64(write((
            *times, (login.id, login.at, login.by, login.user, login.tokens, login.jws),
            content.values, content.previous, content.sections)).encode('latin-1'))

    def decode(text: str) -> Payload:
        *head, login, values, previous, sections = read(from_base64(text).decode('latin-1'))
        *name, tokens, jws = login
        return Payload(*head, Login(*name, tuple(tokens), jws), values, previous,
                       {name: Section(*section) for name, section in sections.items()})

    return Form(encode, decode)


def packed_form() -> Form:
    numbers = struct.Struct('>5I20s16s')
    body = Body('\x1c\x1d\x1e\x1f', str, str)

    def encode(content: Payload) -> str:
        base_id, created, issued, idle, absolute, login = head(content)
        return to_base64(
            numbers.pack(created, issued, idle, absolute, login.at,
                         bytes.fromhex(base_id), bytes.fromhex(login.id))
            + body.write(content).encode('latin-1'))

    def decode(text: str) -> Payload:
        data = from_base64(text)
        *times, base_id, login_id = numbers.unpack_from(data)
        return body.read(times, base_id.hex(), login_id.hex(),
                         data[numbers.size:].decode('latin-1'))

    return Form(encode, decode)


def read_whole(text: str) -> Payload:
    """The package looks at a section when it is asked for."""
    content = encoding.decode(text)
    content.sections
    return content


TEXT = Form(encoding.encode, read_whole)

FORMS = {
    'text': TEXT,
    'text, percent': text_form(Body('!:&=', text_to_percent, text_from_percent)),
    'text, base64': text_form(Body('!:&=', text_to_base64, text_from_base64)),
    'JSON, base64': json_form(),
    'packed, base64': packed_form(),
}


# -- the tags ------------------------------------------------------------------

_KEYED = hmac.new(KEY, digestmod='sha256')


def hex_copied(data: bytes) -> str:
    mac = _KEYED.copy()
    mac.update(data)
    return mac.hexdigest()


def base64_copied(data: bytes) -> str:
    mac = _KEYED.copy()
    mac.update(data)
    return to_base64(mac.digest())


def hex_anew(data: bytes) -> str:
    return hmac.digest(KEY, data, 'sha256').hex()


def base64_anew(data: bytes) -> str:
    return to_base64(hmac.digest(KEY, data, 'sha256'))


# RFC 2104: H(key xor opad, H(key xor ipad, data)), the key filled to a block
_BLOCK = KEY.ljust(64, b'\0')
_INNER = hashlib.sha256(bytes(byte ^ 0x36 for byte in _BLOCK))
_OUTER = hashlib.sha256(bytes(byte ^ 0x5c for byte in _BLOCK))


def hex_two_hashes(data: bytes) -> str:
    inner, outer = _INNER.copy(), _OUTER.copy()
    inner.update(data)
    outer.update(inner.digest())
    return outer.hexdigest()


TAGS = {
    'hex, copied': hex_copied,
    'hex, two hashes copied': hex_two_hashes,
    'base64url, copied': base64_copied,
    'hex, anew': hex_anew,
    'base64url, anew': base64_anew,
}


# -- the cookie's value --------------------------------------------------------

class Wire(NamedTuple):
    form: Form
    tag: Callable[[bytes], str]

    def write(self, content: Payload) -> str:
        signed = PREFIX + self.form.encode(content)
        return f'{signed}.{self.tag(signed.encode("ascii"))}'

    def read(self, value: str) -> Payload:
        signed, _, tag = value.rpartition('.')
        if not hmac.compare_digest(self.tag(signed.encode('ascii')), tag):
            raise ValueError('the signature is not right')
        return self.form.decode(signed[len(PREFIX):])


def all_wires() -> Iterator[tuple[str, str, Wire]]:
    """The payload's name, the wire's, and the wire; the measure comes first."""
    for size in PAYLOADS:
        for name, form in FORMS.items():
            yield size, name, Wire(form, hex_copied)
    for size in ('small', 'medium'):
        for name, tag in TAGS.items():
            yield f'{size}, tags', name, Wire(TEXT, tag)


def all_cases() -> dict[str, measure.Case]:
    cases = {}
    for size, name, wire in all_wires():
        content = PAYLOADS[size.partition(', tags')[0]]
        value = wire.write(content)
        assert wire.read(value) == content, name
        cases[f'{size}; {name}; read'] = repeated(wire.read, value)
        cases[f'{size}; {name}; write'] = repeated(wire.write, content)
    return cases


def repeated(function: Callable[..., object], argument: object) -> measure.Case:
    def case(count: int) -> tuple[Callable[..., object], list[object]]:
        return function, [argument] * count
    return case


def main() -> None:
    cases = all_cases()
    measure.run_if_asked(cases.__getitem__, warm_up=10)   # nothing is remembered here
    columns = {'wall': measure.wall(cases)}
    if '--instructions' in sys.argv:
        columns['instr.'] = measure.instructions(__file__, cases)
    heads = ['payload', 'form or tag', 'length'] + [
        f'{what} {each}' for each in columns for what in ('read', 'ratio', 'write', 'ratio')]
    measure.print_table(heads, table(columns))


def table(columns: Mapping[str, Mapping[str, float]]) -> Iterator[list[str]]:
    """Times in microseconds, instructions, and ratios to each payload's first row."""
    first = {}
    for size, name, wire in all_wires():
        first.setdefault(size, name)
        length = len(wire.write(PAYLOADS[size.partition(', tags')[0]]))
        row = [size, name, str(length)]
        for results in columns.values():
            for way in ('read', 'write'):
                result = results[f'{size}; {name}; {way}']
                row += [measure.figure(result),
                        f'{result / results[f"{size}; {first[size]}; {way}"]:.2f}']
        yield row


if __name__ == '__main__':
    main()
