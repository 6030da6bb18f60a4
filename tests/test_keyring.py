"""keyring.py: HKDF by RFC 5869, and what a key depends on."""
import hashlib
import itertools

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from paste_sessioncookie import SessionCookieSigner, keyring
from paste_sessioncookie.keyring import Key, KeyRing, derive_key, hkdf

SECRET = bytes(range(32))
PLACE = ('__Host-site_session', '', '/')


def hmac_sha256(key, data):
    """HMAC as RFC 2104 writes it, with nothing but a hash function."""
    key = hashlib.sha256(key).digest() if len(key) > 64 else key
    key = key.ljust(64, b'\0')
    inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in key) + data).digest()
    return hashlib.sha256(bytes(byte ^ 0x5c for byte in key) + inner).digest()


def hkdf_sha256(secret, info, length=32):
    """HKDF as RFC 5869, 2.2 and 2.3 write it, without salt."""
    prk = hmac_sha256(b'', secret)
    block, blocks = b'', b''
    for number in itertools.count(1):
        block = hmac_sha256(prk, block + info + bytes([number]))
        blocks += block
        if len(blocks) >= length:
            return blocks[:length]


def frame(text):
    data = text.encode('utf-8')
    return bytes([0, 0, len(data) // 256, len(data) % 256]) + data


def expected_key(secret, purpose, name, domain, path):
    return hkdf_sha256(secret, b''.join(
        map(frame, ['paste_sessioncookie 1', purpose, name, domain, path])))


@pytest.mark.parametrize('key, data, tag', [
    (b'\x0b' * 20, b'Hi There',
     'b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7'),
    (b'Jefe', b'what do ya want for nothing?',
     '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843'),
    (b'\xaa' * 131, b'Test Using Larger Than Block-Size Key - Hash Key First',
     '60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54'),
], ids=['case 1', 'case 2', 'case 6'])
def test_our_own_hmac(key, data, tag):
    """The HMAC that these tests compare with is that of RFC 4231, section 4."""
    assert hmac_sha256(key, data).hex() == tag


def test_hkdf_rfc_5869():
    """RFC 5869, A.3, the case without salt and info: the first 32 of its 42 bytes."""
    okm = ('8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d'
           '9d201395faa4b61a96c8')
    assert hkdf_sha256(b'\x0b' * 22, b'', 42).hex() == okm
    assert hkdf(b'\x0b' * 22, b'').hex() == okm[:64]


@given(st.binary(min_size=1, max_size=200), st.binary(max_size=200))
def test_hkdf_by_hand(secret, info):
    """HKDF of any secret and info is what hash functions alone make of them."""
    assert hkdf(secret, info) == hkdf_sha256(secret, info)


def test_pinned():
    """The keys of version 1 never change."""
    key = Key(SECRET, '__Host-site_session', '', '/')
    assert derive_key(SECRET, 'sign', *PLACE).hex() == PINNED['sign']
    assert key.id == PINNED['id']
    assert key.list_name == PINNED['list']
    assert key.tag(b'1.abc.text') == PINNED['tag']


PINNED = {
    'sign': 'd1107f7294be223329c48005a3fbf32ed9b97e20583d6bcbf0387f2f6317a4a5',
    'id': '45e83847',
    'list': 'ede3f7b7e31fe2ef4f3364f668191b265cd4fcc639f615ab7d9fdf598a927270',
    'tag': 'c3baf7cedbe8bccbce55dfe0844d2a938b416bfdc25a66448ecd8e73a3d9004c',
}


@pytest.mark.parametrize('place', [
    PLACE, ('site_session', 'example.org', '/shop'), ('site_session', '', '/' + 'x' * 300)])
def test_key_by_hand(place):
    """ID, list name and tag are those that the module's docstring describes."""
    key = Key(SECRET, *place)
    assert key.id == expected_key(SECRET, 'key id', *place)[:4].hex()
    assert key.list_name == expected_key(SECRET, 'revocation list', *place).hex()
    assert key.tag(b'data') == hmac_sha256(
        expected_key(SECRET, 'sign', *place), b'data').hex()


def test_tags_do_not_add_up():
    """A key signs each time as if it were the first time."""
    key = Key(SECRET, *PLACE)
    first = key.tag(b'one')
    assert key.tag(b'two') != first
    assert key.tag(b'one') == first == Key(SECRET, *PLACE).tag(b'one')


OTHERS = [
    (b'\x01' + SECRET[1:], *PLACE),
    (SECRET + b'\0', *PLACE),
    (SECRET, 'site_session', '', '/'),
    (SECRET, '__host-site_session', '', '/'),
    (SECRET, '__Host-site_session', 'example.org', '/'),
    (SECRET, '__Host-site_session', '', '/shop'),
    (SECRET, '__Host-site_session', '/', ''),
]


@pytest.mark.parametrize('other', OTHERS, ids=repr)
def test_what_binds(other):
    """Another secret, name, domain or path: nothing of the key is the same."""
    ours, theirs = Key(SECRET, *PLACE), Key(*other)
    assert ours.id != theirs.id
    assert ours.list_name != theirs.list_name
    assert ours.tag(b'data') != theirs.tag(b'data')


@pytest.mark.parametrize('other', OTHERS, ids=repr)
def test_what_binds_a_cookie(other):
    """A cookie means nothing under another secret, name, domain or path."""
    secret, name, domain, path = other
    ours = SessionCookieSigner(SECRET, cookie_name=PLACE[0], domain='', path='/')
    theirs = SessionCookieSigner(secret, cookie_name=name, domain=domain, path=path)
    cookie = ours.sign('something')
    assert ours.auth(cookie) == 'something'
    assert theirs.auth(cookie) is None


def test_purposes_differ():
    """The key for signing, the ID and the list's name share nothing."""
    key = Key(SECRET, *PLACE)
    sign = derive_key(SECRET, 'sign', *PLACE).hex()
    assert not key.list_name.startswith(key.id)
    assert not sign.startswith(key.id)
    assert sign != key.list_name


@given(st.lists(st.text('ab\0\x01/', max_size=6), min_size=4, max_size=4), st.data())
def test_framing(parts, data):
    """Moving characters from one part to the next makes another key."""
    text = ''.join(parts)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), min_size=3, max_size=3)))
    others = [text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)])]
    assume(others != parts)
    assert derive_key(SECRET, *parts) != derive_key(SECRET, *others)


def test_framing_counts_bytes():
    """A length counts bytes of UTF-8, so that no text can imitate another's frame."""
    assert derive_key(SECRET, 'sign', '\xe9', '', '/') == expected_key(
        SECRET, 'sign', '\xe9', '', '/')


def test_key_ring():
    """The first secret signs; all of them verify, each under its own ID."""
    secrets = [bytes([number]) * 32 for number in range(3)]
    ring = KeyRing(secrets, *PLACE)
    ids = [Key(secret, *PLACE).id for secret in secrets]
    assert ring.current.id == ids[0]
    assert set(ring.by_id) == set(ids)
    for each, secret in zip(ids, secrets):
        assert ring.by_id[each].tag(b'data') == Key(secret, *PLACE).tag(b'data')
    assert ring.by_id[ids[0]] is ring.current


def test_key_ring_with_a_secret_twice():
    """A secret that is also among the accepted ones still is the one that signs."""
    ring = KeyRing([SECRET, b'x' * 32, SECRET], *PLACE)
    assert ring.by_id[ring.current.id] is ring.current
    assert len(ring.by_id) == 2


# two secrets whose key IDs are the same, found by trying some 80000
TWINS = [hashlib.sha256(text).hexdigest() for text in (b'21426', b'82488')]


@pytest.mark.parametrize('secret, accepted', [TWINS, TWINS[::-1]])
def test_key_ids_may_collide(secret, accepted):
    """Of two keys with one ID the one that signs is kept, and what the other has signed
    is refused."""
    ours = SessionCookieSigner(
        secret, accept_secrets=[accepted], cookie_name='site_session')
    theirs = SessionCookieSigner(accepted, cookie_name='site_session')
    assert ours.keys.current.id == theirs.keys.current.id == '4b982b9b'
    assert ours.auth(ours.sign('something')) == 'something'
    assert ours.auth(theirs.sign('something')) is None


def test_repr_shows_no_key():
    """Neither a key nor a ring shows its secret to a debug page."""
    secret = b'a-secret-that-can-be-recognised-'
    ring = KeyRing([secret], *PLACE)
    shown = repr((ring, ring.current, ring.by_id, vars(keyring)))
    assert 'recognised' not in shown
    assert derive_key(secret, 'sign', *PLACE).hex() not in shown
