"""encoding.py: one text for one payload."""
import re
from base64 import urlsafe_b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paste_sessioncookie import encoding
from paste_sessioncookie.encoding import (
    MOST_PARTS, NO_SECTION, Login, Payload, Previous, Section)
from paste_sessioncookie.errors import Malformed
from paste_sessioncookie.sessionid import derive

BASE = 'ab' * 20
SALT = '0123456789abcdef'
LOGIN = Login('cd' * 16, 7, '/accounts', 'bob', ('staff', 'admin'))
PLAIN = Payload(BASE, 1, 2, 3, 4, None, {}, None, {})
FULL = Payload(
    BASE, 1, 2, 3, 4, LOGIN, {'site.lang': 'de', 'REMOTE_SESSION': 'a b'},
    Previous('ef' * 20, 9, frozenset({'', '/blog'})),
    {'': Section(SALT, {}), '/blog': Section(SALT, {'weblog.theme': 'dark'}),
     'shop': Section('', {'shop.basket': '1=2&3', 'shop.odd': 'caf\xc3\xa9;,"\\ %'})})

HEAD = f'{BASE}!1!2!3!4'
LOGIN_TEXT = 'cd' * 16 + ':7:/accounts:bob:staff&admin'

native = st.text(st.characters(max_codepoint=0xff, blacklist_categories=())).map(
    lambda text: re.sub('[\x00-\x1f\x7f]', '', text))
ids = st.binary(min_size=16, max_size=64).map(bytes.hex)
times = st.integers(1, 10**12 - 1)
salts = st.just(SALT) | st.just('')
values = st.dictionaries(native, native, max_size=4)
tokens = st.lists(st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7e,
                                        blacklist_characters=','), min_size=1),
                  max_size=3, unique=True).map(tuple)
users = st.text(min_size=1).filter(
    lambda text: not re.search('[\x00-\x1f\x7f\ud800-\udfff]', text)).map(
    lambda text: text.encode('utf-8').decode('latin-1'))
parts = st.binary(min_size=1, max_size=9).map(
    lambda data: urlsafe_b64encode(data).rstrip(b'=').decode('ascii'))
signed = st.builds('{}.{}.{}'.format, parts, parts, parts | st.just('')).map(
    lambda jws: Login('', 0, '', '', (), jws))
payloads = st.builds(
    Payload, ids, times, times, times, times,
    st.none() | signed | st.builds(
        Login, st.binary(min_size=16, max_size=16).map(bytes.hex), times, native, users, tokens,
        jws=st.just('')),
    values,
    st.none() | st.builds(Previous, ids, times, st.frozensets(native, max_size=3)),
    st.dictionaries(native, st.builds(Section, salts, values).filter(any), max_size=4))


@given(payloads)
def test_roundtrip(payload):
    """What is encoded decodes to the same payload, in the cookie's alphabet."""
    text = encoding.encode(payload)
    assert encoding.decode(text) == payload
    assert re.fullmatch(r'[A-Za-z0-9\-._~/@+!:&=*\[\]{}^|()?#$]*', text)


def test_pinned():
    """The text of version 1 never changes."""
    assert encoding.encode(PLAIN) == f'{HEAD}!!!'
    assert encoding.encode(FULL) == (
        f'{HEAD}!{LOGIN_TEXT}!REMOTE_SESSION=a^b&site.lang=de!'
        f'{"ef" * 20}:9:&&/blog!:{SALT}:!/blog:{SALT}:weblog.theme=dark!'
        'shop::shop.basket=1$2|3&shop.odd=*Y2Fmw6k7LCJcICU')


@pytest.mark.parametrize('text', [f'{HEAD}!!!', f'{HEAD}!{LOGIN_TEXT}!!'])
def test_nothing_is_left_unset(text):
    """What is decoded has each attribute that one made by hand has."""
    made = encoding.decode(text)
    for each in filter(None, (made, made.login)):
        assert all(hasattr(each, name) for name in each.__slots__)


def test_other_sections_are_other_ids():
    """No part of a payload outlives the sections that it is of."""
    payload = encoding.decode(f'{HEAD}!!!')
    before = payload.part('/blog')
    payload.sections = {'/blog': Section(SALT, {'weblog.theme': 'dark'})}
    assert payload.part('/blog')[1:] == (SALT, {'weblog.theme': 'dark'})
    assert payload.part('/blog')[0] != before[0]
    assert payload.part('/news')[1:] == ('', {})


@pytest.mark.parametrize('text, written', [
    ('', ''), ('Az09-._~/@+', 'Az09-._~/@+'), ('[]{}', '[]{}'), (' ",;:=&', '^?)(#$|'),
    ('{"a": [1, 2]}', '{?a?#^[1)^2]}'), ('\x80', '*gA'),
    *((odd, '*' + urlsafe_b64encode(odd.encode()).decode().rstrip('=')) for odd in "!#$%'()*<>?\\^`|"),
    ('a b!', '*YSBiIQ')])
def test_texts(text, written):
    """What lists, JSON and queries are full of takes one character; all else takes base64."""
    assert encoding.encode_text(text) == written
    assert encoding.decode_text(written) == text


@pytest.mark.parametrize('login', [
    Login('cd' * 16, 7, 'caf\xe9 shop', 'bob', ()), Login('cd' * 16, 7, '', 'Jos\xc3\xa9', ('staff',)),
    Login('cd' * 16, 7, '', 'bob', ('a=b', 'c')),
], ids=['by', 'user', 'tokens'])
def test_a_login_partly_in_base64(login):
    """Each text of a login has its own form."""
    payload = PLAIN.replace(login=login)
    assert encoding.decode(encoding.encode(payload)) == payload


def test_a_signed_login_says_nothing():
    """As it is decoded a signed login is no user's, and older than any session."""
    login = encoding.decode(f'{HEAD}!e30.e30.AA!!').login
    assert login == Login('', 0, '', '', (), 'e30.e30.AA')
    assert encoding.decode(f'{HEAD}!{"A" * 3000}.e30.!!').login.jws == f'{"A" * 3000}.e30.'


@given(st.text(alphabet=f'{BASE[:2]}!:&=*012Aa.', max_size=30))
def test_anything_decodes_to_itself_or_not_at_all(tail):
    """Whatever decodes encodes to the very same text."""
    for text in (f'{HEAD}!{tail}', f'{HEAD}!!{tail}', f'{HEAD}!!!{tail}', f'{HEAD}!!!!{tail}',
                 f'{HEAD}!{LOGIN_TEXT}{tail}!!', f'{HEAD}!e30.{tail}!!'):
        try:
            payload = encoding.decode(text)
        except Malformed:
            continue
        assert encoding.encode(payload) == text


@pytest.mark.parametrize('text', [
    '', '!', HEAD, f'{HEAD}!', f'{HEAD}!!',
    # the head
    f'{BASE[:30]}!1!2!3!4!!!', f'{BASE.upper()}!1!2!3!4!!!', f'{BASE * 4}!1!2!3!4!!!',
    f'{BASE}!01!2!3!4!!!', f'{BASE}!0!2!3!4!!!', f'{BASE}!+1!2!3!4!!!', f'{BASE}!1_0!2!3!4!!!',
    f'{BASE}! 1!2!3!4!!!', f'{BASE}!-1!2!3!4!!!', f'{BASE}!\u0661!2!3!4!!!',
    f'{BASE}!1.0!2!3!4!!!', f'{BASE}!{"1" * 13}!2!3!4!!!', f'{BASE}!1!2!3!!!!',
    f'{HEAD}!!!\n', f'\n{HEAD}!!!', f'{HEAD}!!!\xe9', f'{HEAD}!!!\u20ac',
    # the login
    f'{HEAD}!x!!', f'{HEAD}!{LOGIN_TEXT}:!!', f'{HEAD}!{LOGIN_TEXT}&!!',
    f'{HEAD}!{LOGIN_TEXT}&staff!!', f'{HEAD}!{LOGIN_TEXT}&*YSxi!!', f'{HEAD}!{LOGIN_TEXT}&*YSBi!!',
    f'{HEAD}!{LOGIN_TEXT}&*w6k!!', f'{HEAD}!{"cd" * 16}:7:/a::!!', f'{HEAD}!{"CD" * 16}:7:/a:b:!!',
    f'{HEAD}!{"cd" * 15}:7:/a:b:!!', f'{HEAD}!{"cd" * 16}:07:/a:b:!!', f'{HEAD}!{"cd" * 16}::/a:b:!!',
    f'{HEAD}!{"cd" * 16}:7:/a:*_w:!!', f'{HEAD}!{"cd" * 16}:7:/a=:b:!!', f'{HEAD}!{"cd" * 16}:7:/a:b&:!!',
    # the signed login
    f'{HEAD}!e30!!', f'{HEAD}!e30.e30!!', f'{HEAD}!.e30.AA!!', f'{HEAD}!e30..AA!!',
    f'{HEAD}!e30.e30.AA.!!', f'{HEAD}!e30.e30.AB!!', f'{HEAD}!e31.e30.AA!!', f'{HEAD}!e30.e31.AA!!',
    f'{HEAD}!e30.e30.A!!', f'{HEAD}!e30.e30.AA==!!', f'{HEAD}!e30.e30.A+A!!', f'{HEAD}!e30.e30.A/A!!',
    f'{HEAD}!e30.e30.*AA!!', f'{HEAD}!e30.e30.A~A!!', f'{HEAD}!e30.e30.AA&e30!!',
    f'{HEAD}!e30.e30.AA:!!', f'{HEAD}!:e30.e30.AA!!',
    # values
    f'{HEAD}!!a!', f'{HEAD}!!a=b=c!', f'{HEAD}!!a=1&!', f'{HEAD}!!&a=1!', f'{HEAD}!!b=1&a=2!',
    f'{HEAD}!!a=1&a=1!', f'{HEAD}!!a=1:!',
    # base64
    f'{HEAD}!!a=*!', f'{HEAD}!!a=*x!', f'{HEAD}!!a=*xQ==!', f'{HEAD}!!a=*xR!', f'{HEAD}!!a=*//8!',
    f'{HEAD}!!a=*YWI!', f'{HEAD}!!a=*Lw!', f'{HEAD}!!a=*LA!', f'{HEAD}!!a=a,b!', f'{HEAD}!!a=a b!', f'{HEAD}!!a=\xe9!',
    f'{HEAD}!!a=*Cg!', f'{HEAD}!!a=*AA!', f'{HEAD}!!a=*fw!',
    f'{HEAD}!!a=*Hw!', f'{HEAD}!!a=a*b!', f'{HEAD}!!a=*xQ*!', f'{HEAD}!!a=**xQ!', f'{HEAD}!!a=%C5!',
    f'{HEAD}!!a=*YS~Bi!', f'{HEAD}!!*xQ=1&a=2!',
    f'{HEAD}!!a=*++++IGE!', f'{HEAD}!!a=*////IGE!', f'{HEAD}!!a=*----~IGE!',
    f'{HEAD}!!a=*~----~~~IGE!', f'{HEAD}!!a=x*----!', f'{HEAD}!!a=x----*!', f'{HEAD}!!a=x*!',
    f'{HEAD}!!a=x*----IGE!', f'{HEAD}!!a=*IGE*!',
    # the previous ID
    f'{HEAD}!!!x', f'{HEAD}!!!{BASE}', f'{HEAD}!!!{BASE}:9', f'{HEAD}!!!{BASE}:9:a',
    f'{HEAD}!!!{BASE}:9:&b&a', f'{HEAD}!!!{BASE}:9:&a&a', f'{HEAD}!!!{BASE}:09:', f'{HEAD}!!!{BASE}:9:&a=b',
    # sections
    f'{HEAD}!!!' + ''.join(f'!{n:02}:{SALT}:' for n in range(33)), f'{HEAD}!!!' + '!' * 33,
    f'{HEAD}!!!!\xe9::a=1',
], ids=repr)
def test_refused(text):
    """Whatever is not the one text of a payload is refused."""
    with pytest.raises(Malformed):
        encoding.decode(text)


@pytest.mark.parametrize('sections', [
    '!', '!a', '!a:', '!a::', f'!a:{SALT}', f'!a:{SALT[:15]}:', f'!a:{SALT.upper()}:', f'!a:{SALT}::',
    f'!&:{SALT}:', '!a::b=%20', '!a::b=*', '!a::b', '!*YQ::b=1',
], ids=repr)
def test_sections_that_are_none(sections):
    """A section that is not of the form is not there, whoever asks, and hides no other."""
    text = f'{HEAD}!!!{sections}!z::b=1'
    for name, expected in (('a', NO_SECTION), ('z', Section('', {'b': '1'}))):
        payload = encoding.decode(text)
        assert payload.part(name)[1:] == expected
        assert payload.sections.get(name, NO_SECTION) == expected
        assert payload.part(name)[1:] == expected


@pytest.mark.parametrize('first, values', [('b::x=1', {'x': '1'}), ('b::', {}), ('b', {'x': '2'})])
def test_a_section_twice(first, values):
    """The first one counts, whatever it is and whoever asks."""
    payload = encoding.decode(f'{HEAD}!!!!{first}!b::x=2')
    assert payload.part('b')[2] == values
    assert payload.sections.get('b', NO_SECTION).values == values


def test_parts_are_bounded():
    """However many namespaces ask, a few are remembered, and all are right."""
    payload = encoding.decode(f'{HEAD}!!!!7::x=1')
    for number in [*range(99), 7]:
        session_id, _, values = payload.part(str(number))
        assert session_id == derive(BASE, str(number)) and values == ({'x': '1'} if number == 7 else {})
        assert len(payload._parts) <= MOST_PARTS


def test_threads_can_remember_one_more_part():
    """Two threads that find room for one more at once leave no way to go on for ever."""
    payload = encoding.decode(f'{HEAD}!!!')
    payload._parts.update(dict.fromkeys(range(MOST_PARTS + 1), payload.part('a')))
    payload.part('b')
    assert len(payload._parts) <= MOST_PARTS


def test_says_the_same():
    """What is decoded twice says the same, whichever of the sections were looked at."""
    one, other = [encoding.decode(encoding.encode(FULL)) for _ in range(2)]
    other.part('/blog')
    assert one.says_the_same(other)
    assert not one.says_the_same(one.replace(sections={}))


def test_sections_that_another_thread_decodes():
    """Requests share the payload of a cookie: what one finds out disturbs no other."""
    for look in (Payload.part, Payload.section_count, Payload.sections_text,
                 Payload.sections.fget):
        arguments = ('/blog',) if look is Payload.part else ()
        results = [look(kind(BASE, 1, 2, 3, 4, sections=f'!/blog:{SALT}:a.b=1'), *arguments)
                   for kind in (Payload, Overtaken)]
        assert results[0] == results[1]


class Overtaken(Payload):
    """Its sections are decoded by another thread as soon as one has looked at them."""

    __slots__ = ()

    @property
    def _sections(self):
        found = Payload._sections.__get__(self)
        if isinstance(found, str):
            Payload._sections.__set__(self, Payload(BASE, 1, 2, 3, 4, sections=found).sections)
        return found

    @_sections.setter
    def _sections(self, sections):
        Payload._sections.__set__(self, sections)


def test_base64():
    """All 64 characters are read, whatever the length is."""
    for value, text in ((b'\xfb\xef\xbe a', '----IGE'), (b'\xff\xff\xff ab', '____IGFi'),
                        (b'\xff\xff\xff ', '____IA')):
        assert encoding.decode(f'{HEAD}!!a=*{text}!').values == {'a': value.decode('latin-1')}


def test_sections_with_control_characters():
    """Sections that nobody looks at still go into a header."""
    for code in (*range(0x20), 0x7f):
        with pytest.raises(Malformed):
            encoding.decode(f'{HEAD}!!!!b:{chr(code)}:')


def test_as_many_sections_as_there_may_be():
    """Thirty-two sections are read."""
    text = f'{HEAD}!!!' + ''.join(f'!{n:02}:{SALT}:' for n in range(32))
    assert len(encoding.decode(text).sections) == 32


def test_reprs():
    """What a debug page shows has no base ID and no value in it."""
    for shown in map(repr, (FULL, FULL.previous, [FULL], FULL.login, FULL.sections)):
        for hidden in (BASE, 'ef' * 20, 'cd' * 16, SALT, 'dark'):
            assert hidden not in shown


@pytest.mark.parametrize('text', ['\n', '\x00', '\x7f', '\u0142', '\U0001f600'])
def test_what_cannot_be_written(text):
    """Control characters and what is not a native string is no text."""
    with pytest.raises(ValueError, match='not a native string|a control character') as raised:
        encoding.encode_text('before' + text)
    assert 'before' not in str(raised.value)


@pytest.mark.parametrize('token, good', [
    ('staff', True), ('a-b.c:d', True), ('~!', True), ('', False), ('a b', False),
    ('a,b', False), ('\xe9', False), ('\x7f', False), ('a\n', False)])
def test_tokens(token, good):
    """A token is printable ASCII without comma and space."""
    assert encoding.is_token(token) is good


def test_equal_payloads():
    """Two payloads are equal if all that they say is."""
    one = encoding.decode(f'{HEAD}!!!!a::b=1')
    assert one == encoding.decode(f'{HEAD}!!!!a::b=1')
    assert one != encoding.decode(f'{HEAD}!!!!a::b=2')
    assert one != encoding.decode(f'{HEAD}!!a=1!!a::b=1')
    assert one != 'a payload' and one != one.sections
