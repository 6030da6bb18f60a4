"""What docs/explanation/threats promises and no other test shows."""
import re
import sys
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import NAME, START, Clock, Probe, Visitor, login, logout, put
from paste_sessioncookie import Namespace, SessionCookieHandler
from paste_sessioncookie.requirelogin import RequireLogin

SECRET = 'the secret of a site that an auditor looks at'

# RFC 6265bis, 4.1.1, without the white space that a server may leave out
OCTET = r'[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]'
TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
DATE = r'(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT'
ATTRIBUTES = {
    'Path': r'=[\x20-\x3a\x3c-\x7e]*', 'Domain': r'=[a-z0-9-]+(\.[a-z0-9-]+)*',
    'HttpOnly': '', 'SameSite': '=(Strict|Lax|None)', 'Secure': '', 'Max-Age': r'=\d+',
    'Expires': f'={DATE}'}

native = st.text(st.characters(min_codepoint=0x20, max_codepoint=0xff,
                               blacklist_characters='\x7f'), max_size=60)
attributes = st.fixed_dictionaries({
    'domain': st.sampled_from(['', 'example.org', 'a-b.example.org']),
    'path': st.sampled_from(['/', '/shop', '/a%20b', '/~x=1']),
    'samesite': st.sampled_from(['Lax', 'Strict']),
    'secure': st.sampled_from([True, False, None]), 'persistent': st.booleans()})


def assert_grammar(header):
    """Assert that RFC 6265bis lets a server send this, and that nothing is there twice."""
    pair, *found = header.split('; ')
    assert re.fullmatch(f'{TOKEN}={OCTET}*', pair)
    names = [attribute.partition('=')[0] for attribute in found]
    assert len(set(names)) == len(names)
    for name, attribute in zip(names, found):
        assert re.fullmatch(name + ATTRIBUTES[name], attribute)


@given(attributes, st.text(st.characters(blacklist_categories=('Cc', 'Cs')), min_size=1,
                           max_size=60), native)
def test_the_grammar_of_set_cookie(options, user, value):
    """Whatever users, values and attributes are, the header is as RFC 6265bis has it, be
    the cookie set or deleted, and there is one."""
    probe = Probe()
    visitor = Visitor(SessionCookieHandler(probe, secret=SECRET, **options))

    def fill(environ):
        put('shop.basket', value)(environ)
        login(user)(environ)
    for act in fill, logout:
        probe.act = act
        visitor.get()
        (header,) = visitor.set_cookies
        assert_grammar(header)


@pytest.mark.parametrize('header', [
    'theirs=1; {}', '{}; theirs=1', '{}, theirs=1', f'{NAME}=1.x.y.z; {{}}',
    f'{{}}; {NAME}=1.x.y.z'])
def test_several_cookie_headers(visitor, probe, header):
    """However a server joins several Cookie headers, and in whatever order cookies are,
    the good one of ours counts."""
    probe.act = login('bob')
    visitor.get()
    probe.act = None
    visitor.get(HTTP_COOKIE=header.format(visitor.cookie))
    assert probe.control.identity.user == 'bob'


def test_a_cookie_behind_a_comma(visitor, probe):
    """A server that joins Cookie headers by commas loses what is behind the first: the
    visitor is nobody then, and nothing fails."""
    probe.act = login('bob')
    visitor.get()
    probe.act = None
    assert visitor.get(HTTP_COOKIE=f'theirs=1, {visitor.cookie}').status_int == 200
    assert (probe.control.status, probe.control.identity) == ('new', None)


def test_who_proves_again_who_he_is(make_site, probe, clock):
    """It begins both limits of time anew."""
    visitor = Visitor(make_site(probe, timeout=30, lifetime=40))
    probe.act = login('bob')
    visitor.get()
    clock.move(20 * 60)
    probe.act = login('bob', again=True)
    visitor.get()
    assert probe.control.identity.at == START + 20 * 60
    probe.act = None
    for minutes in 29, 10:
        clock.move(minutes * 60)
        visitor.get()
        assert probe.control.identity.user == 'bob'
    clock.move(60)
    visitor.get()
    assert probe.control.status == 'expired-absolute'


HOSTILE = ['\r\nERROR: forged', '\x1b[2J\x07', '\x85\x9b31m', '\x00', '\x7f']


@pytest.mark.parametrize('text', HOSTILE, ids=ascii)
def test_no_line_of_the_log_is_forged(caplog, text):
    """What visitors send, and applications name, is on one line of the log, and does
    nothing to a terminal."""
    caplog.set_level('DEBUG')
    inner = Namespace(RequireLogin(Probe(), '/login'))
    visitor = Visitor(SessionCookieHandler(inner, secret=SECRET, secure=False,
                                           domain='example.org', clock=Clock()))
    came_from = quote(f'/{text}/x', encoding='latin-1')
    visitor.get(SCRIPT_NAME=f'/{text}', PATH_INFO='/x', HTTP_COOKIE=f'site_session={text}',
                QUERY_STRING=f'came_from={came_from}')
    assert [record.levelname for record in caplog.records] == ['INFO', 'WARNING', 'ERROR']
    assert all(message.isprintable() for message in caplog.messages)


@pytest.mark.parametrize('text', HOSTILE, ids=ascii)
def test_no_line_is_forged_by_a_name(caplog, text):
    """Nor by a mount point whose values are dropped for an error page."""
    def application(environ, start_response):
        environ['paste.auth.cookie'].append('a.b')
        environ['a.b'] = 'x' * 5000
        try:
            raise LookupError
        except LookupError:
            start_response('500 Oops', [('Content-Type', 'text/plain')], sys.exc_info())
        return [b'error']
    visitor = Visitor(SessionCookieHandler(Namespace(application), secret=SECRET))
    visitor.get(SCRIPT_NAME=f'/{text}', PATH_INFO='/x')
    assert any('not kept' in message for message in caplog.messages)
    assert all(message.isprintable() for message in caplog.messages)
