"""signer.py: payload to cookie value and back."""
import doctest
import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st
from paste.auth import cookie as parent

from conftest import NAME, START
from paste_sessioncookie import SessionCookieSigner, encoding, signer
from paste_sessioncookie.encoding import Payload
from paste_sessioncookie.errors import (
    BadCookie, BadSignature, ConfigError, CookieTooLarge, ExpiredAbsolute, ExpiredIdle, Malformed,
    TooLarge, UnknownKey)
from paste_sessioncookie.keyring import Key

SECRET = 'a secret that is used in these tests and nowhere else'
OTHER = 'another secret that is used in these tests alone'
TIMEOUT, LIFETIME = 30 * 60, 12 * 3600  # seconds


def make(secret=SECRET, **options):
    return SessionCookieSigner(secret, **{
        'cookie_name': NAME, 'clock': lambda: START, **options})


def payload(**changes):
    return Payload('ab' * 20, START, START, START + TIMEOUT, START + LIFETIME, None, {}, None,
                   {}).replace(**changes)


def sign(content, **options):
    return make(**options).sign(content).decode('ascii')


COOKIE = sign(payload(values={'site.lang': 'de'}))


def forge(text, version='1', secret=SECRET):
    """A value with any payload text, signed with the right key."""
    key = Key(secret.encode(), NAME, '', '/')
    signed = f'{version}.{key.id}.{text}'
    return f'{signed}.{key.tag(signed.encode())}'


def test_is_the_parents():
    """A true subclass, with the parent's constructor arguments and attributes."""
    made = SessionCookieSigner(SECRET, 20, 1000)
    assert isinstance(made, parent.AuthCookieSigner)
    assert (made.secret, made.timeout, made.maxlen) == (SECRET.encode(), 20, 1000)
    assert (make().timeout, make().maxlen) == (30, 4096)


def test_roundtrip():
    """What was signed is read, as long as it is good."""
    full = payload(values={'site.lang': 'de'})
    assert make().unsign(sign(full), START)[0] == full
    assert make().auth(sign(full).encode(), START) == full


def test_pinned():
    """The value of version 1 never changes."""
    signed = '1.145cf7fc.' + encoding.encode(payload())
    info = b''.join(len(part).to_bytes(4, 'big') + part for part in (
        b'paste_sessioncookie 1', b'sign', NAME.encode(), b'', b'/'))
    secret_key = hmac.digest(bytes(32), SECRET.encode(), 'sha256')
    key = hmac.digest(secret_key, info + b'\x01', 'sha256')
    tag = hmac.new(key, signed.encode(), hashlib.sha256).hexdigest()
    assert sign(payload()) == f'{signed}.{tag}'


@given(st.integers(0, len(COOKIE) - 1), st.characters(max_codepoint=0xff))
def test_one_character_changed(position, character):
    """No cookie with one character changed is accepted."""
    changed = COOKIE[:position] + character + COOKIE[position + 1:]
    if changed != COOKIE:
        with pytest.raises(BadCookie):
            make().unsign(changed, START)


def test_every_truncation_and_extension():
    """No shorter and no longer cookie is accepted."""
    for end in range(len(COOKIE)):
        with pytest.raises(BadCookie):
            make().unsign(COOKIE[:end], START)
        with pytest.raises(BadCookie):
            make().unsign(COOKIE[end + 1:], START)
    for more in ('0', '.', '\n', ' ', '=', '\x00'):
        for changed in (COOKIE + more, more + COOKIE):
            with pytest.raises(BadCookie):
                make().unsign(changed, START)


@given(st.permutations(COOKIE.split('.')))
def test_reordered(parts):
    """No cookie with its parts in another order is accepted."""
    changed = '.'.join(parts)
    if changed != COOKIE:
        with pytest.raises(BadCookie):
            make().unsign(changed, START)


@given(st.text(st.characters(max_codepoint=0xff)))
def test_anything(text):
    """Nothing that anybody can think of raises more than a BadCookie."""
    for value in (text, f'1.{text}', f'{COOKIE[:11]}{text}', forge(text.encode().hex())):
        with pytest.raises(BadCookie):
            make().unsign(value, START)


@pytest.mark.parametrize('value, error', [
    ('', Malformed), ('.', Malformed), ('1..' + '0' * 66, Malformed),
    ('2' + COOKIE[1:], Malformed), ('\u0661' + COOKIE[1:], Malformed),
    (COOKIE.replace('.', '!', 1), Malformed), (COOKIE[:-65] + '!' + COOKIE[-64:], Malformed),
    (COOKIE[:40] + '\xe9' + COOKIE[41:], Malformed),
    ('1.' + '0' * 8 + COOKIE[10:], UnknownKey), ('1.é.' + 'a' * 70, Malformed),
    (COOKIE[:-1] + ('0' if COOKIE[-1] != '0' else '1'), BadSignature),
    (COOKIE[:-64] + COOKIE[-64:].upper(), BadSignature),
    (COOKIE[:-3] + '.' + COOKIE[-2:], BadSignature),
    ('1' * (4096 - len(NAME)), Malformed), ('1' * (4097 - len(NAME)), TooLarge),
    (forge('nonsense'), Malformed),
], ids=range(16))
def test_refused(value, error):
    """Each kind of bad cookie has its own error."""
    with pytest.raises(error):
        make().unsign(value, START)


@pytest.mark.parametrize('options', [
    {'cookie_name': 'other'}, {'domain': 'example.org'}, {'path': '/shop'}], ids=repr)
def test_bound_to_name_domain_and_path(options):
    """A cookie of one name, domain and path means nothing under another."""
    with pytest.raises(UnknownKey):
        make().unsign(sign(payload(), **options), START)


@pytest.mark.parametrize('changes, error', [
    ({'created': START + 1}, Malformed),
    ({'created': START + 61, 'issued': START + 61}, Malformed),
    ({'created': START + 50, 'issued': START + 50, 'idle': START - 1}, ExpiredIdle),
    ({'idle': START}, ExpiredIdle), ({'idle': START - 1}, ExpiredIdle),
    ({'absolute': START}, ExpiredAbsolute),
    ({'absolute': START, 'idle': START}, ExpiredAbsolute),
    ({'created': START - LIFETIME}, ExpiredAbsolute),
    ({'created': START - TIMEOUT, 'issued': START - TIMEOUT}, ExpiredIdle),
], ids=repr)
def test_times_refused(changes, error):
    """Times count by the cookie and by the running configuration."""
    with pytest.raises(error):
        make().unsign(sign(payload(**changes)), START)


@pytest.mark.parametrize('changes', [
    {}, {'created': START + 60, 'issued': START + 60}, {'idle': START + 1},
    {'absolute': START + 1}, {'created': START - LIFETIME + 1},
    {'created': START - TIMEOUT, 'issued': START - TIMEOUT + 1},
    {'idle': START + 10**9, 'absolute': START + 10**9}], ids=repr)
def test_times_accepted(changes):
    """The last second before each limit is good."""
    assert make().unsign(sign(payload(**changes)), START)[0] == payload(**changes)


def test_the_times_are_checked_on_every_read():
    """A cookie that was verified before expires all the same."""
    made, value = make(), sign(payload())
    for _ in range(2):
        made.unsign(value, START + TIMEOUT - 1)
        with pytest.raises(ExpiredIdle):
            made.unsign(value, START + TIMEOUT)
        with pytest.raises(Malformed):
            made.unsign(value, START - 61)


def test_shorter_options_clamp():
    """A shorter timeout or lifetime counts at once for cookies that are out."""
    value = sign(payload())
    with pytest.raises(ExpiredIdle):
        make(timeout=10).unsign(value, START + 600)
    with pytest.raises(ExpiredAbsolute):
        make(lifetime=10).unsign(value, START + 600)
    with pytest.raises(ExpiredIdle):
        make(timeout=90).unsign(value, START + TIMEOUT)


@pytest.mark.parametrize('now, current, fresh', [
    (0, True, True), (TIMEOUT / 2 - 1, True, True), (TIMEOUT / 2, True, False),
    (0, False, False)])
def test_due(now, current, fresh):
    """Half the idle time long, and only if signed with the first secret, a
    cookie is fresh."""
    made = make() if current else make(OTHER, accept_secrets=[SECRET])
    _, due = made.unsign(sign(payload()), START + now)
    assert due is not fresh


def test_accepted_secrets():
    """Cookies of accepted secrets are read, and never written."""
    made = make(OTHER, accept_secrets=[SECRET.encode()])
    assert made.unsign(sign(payload()), START)[0] == payload()
    assert made.sign(payload()) == make(OTHER).sign(payload())
    with pytest.raises(UnknownKey):
        make().unsign(made.sign(payload()).decode(), START)


def test_failures_are_not_remembered():
    """A cookie that was refused is looked at again."""
    made = make()
    for _ in range(3):
        with pytest.raises(BadSignature):
            made.unsign(COOKIE[:-1] + '!', START)
    assert not made._verified


@pytest.mark.parametrize('value', [
    COOKIE[-signer.END:], COOKIE[-64:], 'x' + COOKIE, COOKIE[1:], COOKIE.replace('ab', 'cd', 1)],
    ids=['end', 'tag', 'more', 'less', 'another base ID'])
def test_only_the_end_was_verified_before(value):
    """What ends like a good cookie is no good one, however often that has come."""
    made = make()
    for _ in range(2):
        assert made.auth(COOKIE, START) and not made.auth(value, START)


@pytest.mark.parametrize('cached', [True, False])
def test_verified_before(cached, monkeypatch):
    """A cookie is verified once, or each time where that is configured."""
    made, value, verified = make(cache_verified=cached), sign(payload()), []
    decode = encoding.decode
    monkeypatch.setattr(encoding, 'decode', lambda *text: verified.append(text) or decode(*text))
    for _ in range(3):
        assert made.unsign(value, START) == (payload(), False)
    assert len(verified) == (1 if cached else 3)


def test_one_character_changed_of_what_was_verified_before():
    """The tag of a cookie that is known is worth nothing with any other text before it."""
    made, value = make(), sign(payload())
    made.unsign(value, START)
    for place in range(len(value)):
        with pytest.raises(BadCookie):
            made.unsign(value[:place] + '~' + value[place + 1:], START)
        with pytest.raises(BadCookie):
            made.unsign(value[:place] + value[place + 1:], START)
    assert made.unsign(value, START) == (payload(), False)


@pytest.mark.parametrize('content', ['', 'REMOTE_USER=bob;REMOTE_SESSION=x', '{"a": [1, "é☃"]}',
                                     '%41 %', 'a' * 3000])
def test_the_parents_content(content):
    """Any string without control characters is signed and read, as by the parent."""
    made = SessionCookieSigner(SECRET)
    cookie = made.sign(content)
    assert isinstance(cookie, bytes)
    assert made.auth(cookie) == made.auth(cookie.decode()) == content


def test_the_parents_content_expires():
    """A signed string lives as long as the parent's would."""
    clock = [START]
    made = SessionCookieSigner(SECRET, 10, clock=lambda: clock[0])
    cookie = made.sign('content')
    clock[0] += 599
    assert made.auth(cookie) == 'content'
    clock[0] += 1
    assert made.auth(cookie) is None


def test_a_subclass_of_the_parents_kind():
    """A subclass that wraps sign() and auth(), as the parent's users write."""
    class Marked(SessionCookieSigner):
        def sign(self, content):
            return super().sign('mark ' + content)

        def auth(self, cookie):
            return super().auth(cookie)[5:]
    made = Marked(SECRET)
    assert made.auth(made.sign('this')) == 'this'


def test_content_that_cannot_travel():
    """Control characters are an error of the application, and say so."""
    with pytest.raises(ValueError, match='control character'):
        make().sign('a\nb')


def test_auth_refuses_quietly():
    """auth() returns None, whatever it is given."""
    for cookie in ('', b'', b'\xff' * 100, COOKIE[:-1], 'x' * 10000):
        assert make().auth(cookie) is None


def test_too_large():
    """What does not fit names every part and its size, and nothing secret."""
    big = payload(values={'site.note': 'x' * 4000},
                  sections={'/blog': encoding.Section('', {'weblog.theme': 'dark'})})
    with pytest.raises(CookieTooLarge) as raised:
        make().sign(big)
    error = raised.value
    assert isinstance(error, parent.CookieTooLarge)
    assert error.sizes == {'login': 0, 'site': 4010, "'/blog'": 24}
    assert (error.content, error.cookie) == (None, None)
    assert error.limit == make().room
    assert 'xxx' not in str(error) and 'ab' * 20 not in str(error)
    assert "'/blog' 24" in str(error)


def test_the_limit_is_of_name_and_value():
    """A cookie may have 4096 characters, name and value together."""
    room = make().room - len(encoding.encode(payload(values={'a': ''})))
    assert len(NAME) + len(sign(payload(values={'a': 'x' * room}))) == 4096
    with pytest.raises(CookieTooLarge):
        sign(payload(values={'a': 'x' * (room + 1)}))


def test_too_many_sections():
    """A 33rd section is refused while it is written."""
    sections = {str(n): encoding.Section('', {'a.b': '1'}) for n in range(33)}
    with pytest.raises(CookieTooLarge, match='more than 32 namespaces keep something') as raised:
        sign(payload(sections=sections))
    assert raised.value.limit == make().room


@pytest.mark.parametrize('options, message', [
    ({'secret': 'short'}, '5 bytes'), ({'secret': b''}, '0 bytes'),
    ({'accept_secrets': ['short']}, '5 bytes'),
    ({'timeout': -1}, 'timeout'), ({'lifetime': 0}, 'lifetime'),
    ({'maxlen': 5000}, 'maxlen = 5000'), ({'maxlen': 511}, 'maxlen = 511'),
    ({'timeout': 10**9}, 'timeout'), ({'lifetime': 10**9}, 'lifetime'),
], ids=repr)
def test_bad_arguments(options, message):
    """What cannot work is refused at once, and no secret is shown."""
    with pytest.raises(ConfigError, match=message) as raised:
        make(**options)
    assert 'short' not in str(raised.value)


def test_a_timeout_that_is_text():
    """The parent's error for a timeout that is a string stays."""
    with pytest.raises(ValueError, match='must be a number'):
        make(timeout='30')


def test_lifetime_follows_a_long_timeout():
    """A section of the parent's with a timeout over 12 hours keeps it."""
    assert make(timeout=1440).lifetime_seconds == 1440 * 60
    assert make(timeout=10).lifetime_seconds == LIFETIME


def test_without_a_secret():
    """Without a secret each signer makes a random one."""
    one, two = SessionCookieSigner(), SessionCookieSigner()
    assert one.secret != two.secret and len(one.secret) == 32
    assert two.auth(one.sign('x')) is None


def test_doctest():
    """The example in the module's docstring is true."""
    assert doctest.testmod(signer).failed == 0


def test_due_at_half_of_the_idle_time():
    """Half of an odd number of seconds is rounded down."""
    odd = payload(idle=START + 901)
    assert not make().is_due(odd, START + 449)
    assert make().is_due(odd, START + 450)


def test_content_that_is_no_utf8():
    """What the parent's content cannot be is replaced, not raised."""
    made = make()
    assert made.auth(made.sign(payload(values={'': 'a\xff'}))) == 'a\ufffd'


@pytest.mark.parametrize('start, error', [
    ('1.abcdef00.', Malformed), ('1.abcdef00..', UnknownKey)])
def test_the_shortest_values(start, error):
    """Without a payload a value is not of the form; with an empty one it may be."""
    with pytest.raises(error):
        make().unsign(start + '0' * 64, START)


def test_too_large_with_as_many_sections_as_there_may_be():
    """Thirty-two sections are not too many: their size is what is wrong."""
    full = payload(sections={str(n): encoding.Section('', {'a.b': 'x' * 200}) for n in range(32)})
    with pytest.raises(CookieTooLarge, match='^the cookie would be too large'):
        make().sign(full)
