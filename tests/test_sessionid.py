"""sessionid.py: the form of IDs, how they are derived, and how they hide."""
import copy
import hashlib
import json
import pickle
import pprint
import re
import reprlib

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import specified
from paste_sessioncookie import ConfigError, sessionid
from paste_sessioncookie.sessionid import (
    SessionID, derive, new_base_id, new_login_id, new_salt, random_bytes)

BASE = '00112233445566778899aabbccddeeff01234567'
ID = SessionID('0123456789abcdef0123456789abcdef01234567')

base_ids = st.text('0123456789abcdef', min_size=32, max_size=128)
namespaces = st.text(st.characters(max_codepoint=0xff), max_size=40)
salts = st.text('0123456789abcdef', min_size=16, max_size=16) | st.just('')


@pytest.mark.parametrize('namespace, salt, expected', [
    ('', '', '1cc175f89e8bfbc761fd4c4071d4fa0ab46ba0e3'),
    ('/', '', '64516b1decf2537a7ea3bdab5c230f7447682bfd'),
    ('/blog', '', 'fd1f3fbb565204e1b59007908944326cca2bbdad'),
    ('/blog', '0123456789abcdef', '6f2e5a25eb683530767c0d097fc6b38846e8db76'),
    ('caf\xc3\xa9', '', 'af153f95a1e49981ce0bf8c6d8c0b3dd7739dc88'),
])
def test_pinned(namespace, salt, expected):
    """What is derived in version 1 never changes: sessions are kept under it."""
    assert derive(BASE, namespace, salt) == expected
    assert specified.session_id(BASE, namespace, salt) == expected


@given(base_ids, namespaces, salts)
def test_form(base_id, namespace, salt):
    """Any namespace has an ID of 40 lower-case hex digits, as the docstring says."""
    session_id = derive(base_id, namespace, salt)
    assert re.fullmatch('[0-9a-f]{40}', session_id)
    assert session_id == specified.session_id(base_id, namespace, salt)
    assert type(session_id) is SessionID
    assert session_id not in base_id


def test_namespaces_and_salts_differ():
    """Each namespace, salt and base ID makes an ID of its own, and the same one again."""
    places = [(base_id, namespace, salt)
              for base_id in (BASE, BASE[::-1], BASE[:-1])
              for namespace in ('', '/', '/blog', '/Blog', '/blog/', '/wiki')
              for salt in ('', '0' * 16, '1' * 16)]
    ids = {derive(*place) for place in places}
    assert len(ids) == len(places)
    assert ids == {derive(*place) for place in places}


def test_no_salt_by_default():
    """A namespace without a salt has an empty one."""
    assert derive(BASE, '/blog') == derive(BASE, '/blog', '')


@given(st.lists(st.text('0\0\x04', max_size=6), min_size=3, max_size=3), st.data())
def test_framing(parts, data):
    """Moving characters between namespace, salt and base ID makes another ID."""
    text = ''.join(parts)
    first, second = sorted(data.draw(st.tuples(
        st.integers(0, len(text)), st.integers(0, len(text)))))
    others = [text[:first], text[first:second], text[second:]]
    assume(others != parts)
    namespace, salt, base_id = parts
    assert derive(base_id, namespace, salt) != derive(others[2], others[0], others[1])


def test_framing_of_lengths():
    """A namespace that imitates the frames of another one's parts has another ID."""
    imitation = 'a' + '\0\0\0\0'
    assert derive('ff', imitation) != derive('\0\0\0\0ff', 'a')
    assert derive('ff', 'a' * 256) != derive('a' * 256 + 'ff', '')


@given(base_ids, namespaces)
def test_repr_is_a_fingerprint(base_id, namespace):
    """A repr tells IDs apart, is the same for equal ones, and does not tell the ID."""
    session_id, other = derive(base_id, namespace), derive(base_id, namespace + '/')
    shown = repr(session_id)
    assert re.fullmatch('<session id #[0-9a-f]{16}>', shown)
    assert shown == repr(SessionID(str(session_id))) != repr(other)
    digits = shown[-17:-1]
    assert digits not in session_id
    assert not hashlib.sha256(session_id.encode()).hexdigest().startswith(digits)


@pytest.mark.parametrize('show', [
    repr, ascii, '{!r}'.format, '{!a}'.format, '%r'.__mod__, pprint.pformat, reprlib.repr,
    lambda each: repr({'session.id': each}), lambda each: pprint.pformat([each] * 9),
    lambda each: '%s' % ((each,),), lambda each: f'{[each]}',
], ids=['repr', 'ascii', '!r', '!a', '%r', 'pprint', 'reprlib', 'in a dict',
        'pprint of many', 'in a tuple', 'in a list'])
def test_dumps_do_not_show_it(show):
    """Whatever a debug page does with environ, the ID is not on it."""
    assert str(ID)[:12] not in show(ID)
    assert 'session id #' in show(ID)


def plain(each):
    """Whether it is the ID and an ordinary str."""
    return type(each) is str and each == ID and repr(each) == repr(str(ID))


@pytest.mark.parametrize('protocol', range(pickle.HIGHEST_PROTOCOL + 1))
def test_pickles_as_str(protocol):
    """What a store unpickles is an ordinary str, without this library."""
    pickled = pickle.dumps(ID, protocol)
    assert plain(pickle.loads(pickled))
    assert b'paste_sessioncookie' not in pickled


def test_copies_are_str():
    """A copy is an ordinary str, and equal."""
    assert plain(copy.copy(ID))
    assert plain(copy.deepcopy(ID))
    assert plain(copy.deepcopy({'id': [ID]})['id'][0])


@pytest.mark.parametrize('use', [
    str, format, '{}'.format, '%s'.__mod__, '{:s}'.format, ''.join,
    lambda each: f'{each}', lambda each: each[:], lambda each: '' + each,
    lambda each: json.loads(json.dumps(each)),
    lambda each: each.encode('ascii').decode('ascii'),
], ids=['str', 'format', '{}', '%s', '{:s}', 'join', 'f', 'slice', 'add', 'json', 'encode'])
def test_uses_give_the_id(use):
    """Where an ID is used, and not dumped, it is itself."""
    assert list(use(ID)) == list('0123456789abcdef0123456789abcdef01234567')


def test_many_namespaces():
    """What is kept of namespaces is bounded, and their IDs stay what they are."""
    for number in range(3 * sessionid.MOST_NAMESPACES):
        assert derive(BASE, str(number)) == specified.session_id(BASE, str(number), '')
        assert len(sessionid._begun) <= sessionid.MOST_NAMESPACES


def test_is_a_string_like_any_other():
    """It compares, hashes and sorts as the str that it is."""
    text = str(ID)
    assert ID == text and text == ID and hash(ID) == hash(text)
    assert {text: 1}[ID] == {ID: 1}[text] == 1
    assert sorted([ID, '0']) == ['0', text]
    assert isinstance(ID, str)
    assert not hasattr(ID, '__dict__')


def test_base_id():
    """By default a base ID is 20 random bytes, in hex, each time others."""
    ids = {new_base_id() for _ in range(100)}
    assert len(ids) == 100
    assert all(re.fullmatch('[0-9a-f]{40}', each) for each in ids)
    assert {len(random_bytes()) for _ in range(9)} == {20}


@pytest.mark.parametrize('size', [16, 17, 64])
def test_generator(size):
    """A generator may give 16 to 64 bytes; they are the base ID, in hex."""
    assert new_base_id(lambda: bytes(range(size))) == bytes(range(size)).hex()


@pytest.mark.parametrize('random, fault', [
    (b'', '0 bytes; a base ID takes 16 to 64'),
    (bytes(15), '15 bytes; a base ID takes 16 to 64'),
    (bytes(65), '65 bytes; a base ID takes 16 to 64'),
    ('0' * 40, 'gave str, not bytes'),
    (bytearray(20), 'gave bytearray, not bytes'),
    (None, 'gave NoneType, not bytes'),
], ids=repr)
def test_bad_generator(random, fault):
    """A generator that gives anything else is the deployer's fault."""
    with pytest.raises(ConfigError, match=fault):
        new_base_id(lambda: random)


@pytest.mark.parametrize('make, digits', [(new_salt, 16), (new_login_id, 32)])
def test_other_random_names(make, digits):
    """Salts and login IDs are random hex digits, each time others."""
    made = {make() for _ in range(100)}
    assert len(made) == 100
    assert all(re.fullmatch(f'[0-9a-f]{{{digits}}}', each) for each in made)
