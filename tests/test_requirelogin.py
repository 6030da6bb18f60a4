"""requirelogin.py: only for who is logged in."""
import doctest
import re
from urllib.parse import parse_qs, unquote, urlsplit
from wsgiref.validate import validator

import pytest
from paste.urlmap import URLMap
from webob import Request

from conftest import NAME, Visitor, login, logout, setting
from paste_sessioncookie import ConfigError, Namespace, SessionControl, requirelogin
from paste_sessioncookie.requirelogin import (
    MAX_CAME_FROM, RequireLogin, came_from_of, safe_came_from)
from paste_sessioncookie.seldom import LOG_EVERY, Seldom

LOGIN = '/accounts/login'


@pytest.fixture
def guarded(make_site, probe):
    """Builds a visitor of a site that has the probe behind the filter, at /door it
    without, and at /login a page that logs somebody in."""
    def make(*args, mount='', around=None, door=None, **options):
        urls = URLMap()
        urls[mount or '/'] = RequireLogin(probe, *args, **options)
        urls['/door'] = door or probe
        return Visitor(make_site(around(urls) if around else urls))
    return make


def let_in(visitor, probe, user='bob', tokens=()):
    probe.act = login(user, tokens)
    visitor.get('/door')
    probe.act = None


def is_public(response):
    """Whether somebody else could be shown it."""
    return response.headers.get('Cache-Control') != 'no-store'


class TestWhoComes:
    """Who is let through, sent to log in, told, or refused."""

    def test_nobody(self, guarded, probe):
        """Who is not logged in is sent to log in, and the application not called."""
        response = guarded(LOGIN).get('/a/b?c=d')
        assert response.status_int == 303
        assert response.headers['Location'] == f'{LOGIN}?came_from=/a/b%3Fc%3Dd'
        assert probe.environ is None and not is_public(response)
        assert f'<a href="{LOGIN}?came_from=/a/b%3Fc%3Dd">' in response.text

    def test_a_user(self, guarded, probe):
        """Who is logged in gets what the application answers, untouched."""
        visitor = guarded(LOGIN)
        let_in(visitor, probe)
        for method in ('GET', 'HEAD', 'POST', 'DELETE'):
            response = visitor.request(method, '/a')
            assert response.status_int == 200 and is_public(response)
        assert probe.environ['REMOTE_USER'] == 'bob'

    @pytest.mark.parametrize('method', ['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'])
    def test_other_methods(self, guarded, probe, method):
        """What is sent would be lost by a redirection: who is not logged in is told."""
        response = guarded(LOGIN).request(method, '/a')
        assert response.status_int == 401 and not is_public(response)
        assert f'<a href="{LOGIN}">Log in</a>' in response.text
        assert probe.environ is None

    def test_head(self, guarded):
        """HEAD is answered as GET is, without the page."""
        visitor = guarded(LOGIN)
        response = visitor.request('HEAD', '/a')
        assert (response.status_int, response.body) == (303, b'')
        assert response.headers['Location'] == f'{LOGIN}?came_from=/a'

    def test_without_login_url(self, guarded):
        """Without login_url everybody is told."""
        response = guarded().get('/a')
        assert response.status_int == 401 and not is_public(response)
        assert '<a' not in response.text

    @pytest.mark.parametrize('args', [(), (LOGIN,)])
    def test_challenge(self, guarded, args):
        """A 401 says what it takes (RFC 9110, 11.6.1): nothing a browser would ask for."""
        challenge = guarded(*args).post('/a').headers['WWW-Authenticate']
        assert challenge == f'Cookie realm="site", cookie-name="{NAME}"'

    @pytest.mark.parametrize('tokens, status', [
        ((), 403), (('editors',), 403), (('staff',), 200), (('admins', 'editors'), 200),
        (('STAFF',), 403), (('staff2',), 403), (('sta', 'ff'), 403)])
    def test_groups(self, guarded, probe, tokens, status):
        """One of the groups is enough, letter by letter; without one it is 403, and
        never a redirection, which would come back."""
        visitor = guarded(LOGIN, ('staff', 'admins'))
        let_in(visitor, probe, tokens=tokens)
        for method in ('GET', 'POST'):
            response = visitor.request(method, '/a')
            assert response.status_int == status
            assert is_public(response) == (status == 200)
            assert 'Location' not in response.headers

    def test_groups_and_nobody(self, guarded):
        """Who is not logged in can still turn out to be in a group."""
        assert guarded(LOGIN, ['staff']).get('/a').status_int == 303

    def test_user_from_outside(self, guarded, probe):
        """A user whom a server outside has set counts, with his groups alone."""
        visitor = guarded(LOGIN, ['staff'])
        let_in(visitor, probe, tokens=('staff',))
        assert visitor.get('/a', REMOTE_USER='eve').status_int == 403
        assert visitor.get('/a', REMOTE_USER='eve', REMOTE_USER_TOKENS='x, staff'
                           ).status_int == 200
        assert visitor.get('/a', REMOTE_USER='').status_int == 200  # nobody outside: bob

    def test_empty_user_from_outside(self, guarded):
        """Nobody from outside, with groups, is nobody."""
        visitor = guarded(LOGIN, ['staff'])
        assert visitor.get('/a', REMOTE_USER='', REMOTE_USER_TOKENS='staff').status_int == 303

    def test_headers_are_no_user(self, guarded):
        """What a client sends is not taken for a user."""
        visitor = guarded(LOGIN)
        response = visitor.get('/a', headers={
            'REMOTE_USER': 'eve', 'Remote-User': 'eve', 'X-Remote-User': 'eve',
            'Authorization': 'Basic ZXZlOmV2ZQ=='})
        assert response.status_int == 303

    @pytest.mark.parametrize('user', [None, 0, b'eve', object()])
    def test_odd_user(self, make_site, probe, user):
        """What is no text between the filters is no user."""
        def around(environ, start_response):
            environ['REMOTE_USER'] = user
            return RequireLogin(probe, LOGIN)(environ, lambda *args: start_response(*args))
        environ = Request.blank('/a').environ
        app = make_site(lambda environ, start_response: around(environ.copy(), start_response))
        answers = []
        app(environ, lambda status, headers: answers.append(status))
        assert answers == ['303 See Other']

    def test_bad_cookie(self, guarded, probe):
        """Whose cookie is not accepted is nobody."""
        visitor = guarded(LOGIN)
        let_in(visitor, probe)
        visitor.cookie = visitor.cookie[:-1] + ('0' if visitor.cookie[-1] != '0' else '1')
        assert visitor.get('/a').status_int == 303

    def test_after_logout(self, guarded, probe):
        """After a log-out, this and every copy of the cookie is nobody's."""
        visitor = guarded(LOGIN)
        let_in(visitor, probe)
        copy = visitor.cookie
        probe.act = logout
        visitor.get('/a')
        probe.act = None
        for cookie in (visitor.cookie, copy):
            visitor.cookie = cookie
            assert visitor.get('/a').status_int == 303


class TestInThisRequest:
    """Middleware between the filters may log somebody in or out."""

    @staticmethod
    def acting(act):
        def around(app):
            def middleware(environ, start_response):
                act(environ)
                return app(environ, start_response)
            return middleware
        return around

    def test_logged_in_by_the_control(self, guarded, probe):
        """A login by the control counts at once, and so do its groups."""
        for tokens, status in ((('staff',), 200), ((), 403)):
            visitor = guarded(LOGIN, ['staff'], around=self.acting(login('ann', tokens)))
            assert visitor.get('/a').status_int == status

    def test_logged_out_by_the_control(self, guarded, probe):
        """So does a log-out, though REMOTE_USER still stands."""
        acts = []
        visitor = guarded(LOGIN, around=self.acting(
            lambda environ: [act(environ) for act in acts]))
        let_in(visitor, probe)
        assert visitor.get('/a').status_int == 200
        acts.append(logout)
        assert visitor.get('/a').status_int == 303

    def test_logged_in_by_assignment(self, guarded):
        """A form or digest handler that sets REMOTE_USER has logged somebody in."""
        visitor = guarded(LOGIN, ['staff'], around=self.acting(
            setting(REMOTE_USER='ann', REMOTE_USER_TOKENS='staff')))
        assert visitor.get('/a').status_int == 200

    def test_outer_user_stands(self, guarded):
        """While a user from outside stands, he does, whatever the control is told."""
        visitor = guarded(LOGIN, ['staff'], around=self.acting(login('ann', ['staff'])))
        assert visitor.get('/a', REMOTE_USER='eve').status_int == 403


class TestComposition:
    """Where it stands among the filters."""

    def test_without_a_session_cookie(self, probe):
        """The first request says which order to write."""
        app = RequireLogin(probe)
        with pytest.raises(ConfigError, match='pipeline = session require_login application'):
            Request.blank('/').get_response(app)

    @pytest.mark.parametrize('inside', [True, False])
    def test_namespace(self, make_site, probe, inside):
        """Inside or outside of a namespace it sees the same users."""
        app = (Namespace(RequireLogin(probe, LOGIN, ['staff']), 'a') if inside
               else RequireLogin(Namespace(probe, 'a'), LOGIN, ['staff']))
        urls = URLMap()
        urls['/a'], urls['/door'] = app, probe
        visitor = Visitor(make_site(urls))
        assert visitor.get('/a').headers['Location'] == f'{LOGIN}?came_from=/a'
        let_in(visitor, probe, tokens=['staff'])
        assert visitor.get('/a').status_int == 200
        assert isinstance(probe.control, SessionControl) and probe.control.namespace == 'a'

    def test_the_cookie_goes_out_with_it(self, guarded):
        """The outer filter's headers are on its answers: a cookie, and Vary."""
        visitor = guarded(LOGIN)
        response = visitor.get('/a')
        assert visitor.cookie and response.headers['Vary'] == 'Cookie'

    @pytest.mark.parametrize('kwargs', [
        {'login_url': '//evil'}, {'login_url': ' '}, {'tokens': ''}, {'tokens': ['']},
        {'tokens': ['ü']}])
    def test_bad_arguments(self, probe, kwargs):
        """What the ini file may not say, Python may not, either."""
        with pytest.raises(ConfigError, match='require_login: it takes'):
            RequireLogin(probe, **kwargs)

    def test_one_group_as_text(self, probe):
        """A text is the groups of an ini file, not its letters."""
        assert RequireLogin(probe, tokens='staff, editors').tokens == {'staff', 'editors'}


class TestWhoAsks:
    """A person is sent to a page; a script or a program is told."""

    @pytest.mark.parametrize('headers, status', [
        ({}, 303),
        ({'Accept': 'text/html,application/xhtml+xml,*/*;q=0.8'}, 303),
        ({'Accept': '*/*'}, 303),
        ({'Accept': 'text/*'}, 303),
        ({'Accept': 'application/json'}, 401),
        ({'Accept': 'image/avif,image/webp'}, 401),
        ({'X-Requested-With': 'XMLHttpRequest'}, 401),
        ({'Sec-Fetch-Mode': 'navigate', 'Sec-Fetch-Dest': 'document'}, 303),
        ({'Sec-Fetch-Mode': 'navigate', 'Sec-Fetch-Dest': 'iframe'}, 303),
        ({'Sec-Fetch-Mode': 'cors', 'Sec-Fetch-Dest': 'empty', 'Accept': '*/*'}, 401),
        ({'Sec-Fetch-Mode': 'same-origin', 'Accept': 'text/html'}, 401),
        ({'Sec-Fetch-Mode': 'no-cors', 'Sec-Fetch-Dest': 'image'}, 401),
        ({'Sec-Fetch-Mode': 'websocket'}, 401),
        ({'Sec-Fetch-Mode': ''}, 401),
    ])
    def test_kinds(self, guarded, headers, status):
        """By Fetch Metadata; without it, by what is accepted."""
        assert guarded(LOGIN).get('/a', headers=headers).status_int == status


PASSING = ['/accounts/login', '/accounts/login/', '/%61ccounts/log%69n']
NOT_PASSING = ['/accounts', '/accounts/', '/accounts/login2',
               '/accounts/login/x', '/ACCOUNTS/login', '/accounts%2flogin%00', '/',
               '/accounts/login;x', '/accounts/./login', '/x/accounts/login']


class TestLoginPage:
    """login_url is let through, and nothing goes round for ever."""

    @pytest.mark.parametrize('login_url', ['/accounts/login', '/accounts/login/',
                                           '/accounts/login?next=1', '/accounts/l%6Fgin'])
    @pytest.mark.parametrize('mount', ['', '/accounts', '/accounts/login'])
    def test_passes(self, guarded, probe, login_url, mount):
        """Whatever is mounted where, with any method, for nobody and for the wrong group."""
        visitor = guarded(login_url, ['staff'], mount=mount)
        for user in (None, 'bob'):
            if user:
                let_in(visitor, probe, user)
            for path in PASSING:
                for method in ('GET', 'POST'):
                    assert visitor.request(method, path).status_int == 200, path

    @pytest.mark.parametrize('path', NOT_PASSING)
    def test_nothing_else_passes(self, guarded, probe, path):
        """What only looks like it does not."""
        assert guarded('/accounts/login').get(path).status_int == 303
        assert probe.environ is None

    @pytest.mark.parametrize('login_url', ['/', '/?login'])
    def test_root(self, guarded, login_url):
        """The front page may be where one logs in; only it passes."""
        visitor = guarded(login_url)
        assert visitor.get('/').status_int == 200
        assert visitor.get('/a').status_int == 303

    def test_not_ascii(self, guarded):
        """A page whose name is not ASCII passes, too."""
        assert guarded('/anmeldung/%C3%BCber').get('/anmeldung/%c3%bcber').status_int == 200

    def test_another_host_has_no_page_here(self, guarded, probe):
        """With a URL of another host no path of ours is open, whatever Host says."""
        visitor = guarded('https://sso.example.org/login')
        for host in ('example.org', 'sso.example.org', 'SSO.example.org'):
            response = visitor.get('/login', headers={'Host': host})
            assert response.status_int == (303 if host == 'example.org' else 401)
        assert probe.environ is None

    @pytest.mark.parametrize('login_url, path', [
        ('/app/login', '/{}'), ('/app/login?a=b', '/{}'), ('/app/login', '/x/{}'),
        ('/app/login', '//{}'), ('/app/login', '//app/{}'), ('/app/login', '/{}/'),
        ('/app/login', '/LOGIN'), ('/app/login', '/a+b%26{}?x=y'), ('/app/login', '/%ff{}')])
    @pytest.mark.parametrize('first', ['/private', '/' + 'a' * 3000, '//private', '/é'.encode()])
    def test_proxy_that_changes_paths(self, make_site, probe, caplog, login_url, path, first):
        """A page that a proxy asks for by another path ends in a 401, and one error."""
        visitor = Visitor(make_site(RequireLogin(probe, login_url)))
        path, _, own_query = path.format('login').partition('?')
        asked = first if isinstance(first, str) else '/%C3%A9'
        for _ in range(4):
            response = visitor.get(asked)
            if response.status_int == 401:
                break
            location = response.headers['Location']
            assert urlsplit(location).path == '/app/login'
            query = '&'.join(filter(None, (own_query, urlsplit(location).query)))
            asked = f'{path}?{query}'
        assert response.status_int == 401
        visitor.get(asked)
        assert caplog.text.count('seems to lead back') == 1

    def test_our_own_host(self, guarded, caplog):
        """A full URL of our own, inside of the filter, does not go round, either."""
        visitor = guarded('https://example.org/login')
        assert visitor.get('/a').headers['Location'] == 'https://example.org/login'
        for host in ('example.org', 'EXAMPLE.org:443'):
            assert visitor.get('/login', headers={'Host': host}).status_int == 401
        assert 'seems to lead back' in caplog.text

    def test_a_request_that_only_looks_like_it(self, make_site, probe, caplog):
        """Who makes up such a request keeps no error of a proxy out of the log."""
        now, gate = [0.0], RequireLogin(probe, '/app/login')
        gate._seldom = Seldom(lambda: now[0])
        visitor = Visitor(make_site(gate))
        for asked in ('/a?came_from=/a', '/login?came_from=/login'):
            for _ in range(2):
                assert visitor.get(asked).status_int == 401
            now[0] += LOG_EVERY
        assert [re.search("as '.*?'", each)[0] for each in caplog.messages] == [
            "as '/a'", "as '/login'"]


HOSTILE_PATHS = [
    # SCRIPT_NAME, PATH_INFO, QUERY_STRING: came_from
    ('', '/a', '', '/a'),
    ('/staff', '', '', '/staff'),
    ('/staff', '/', 'a=b', '/staff/?a=b'),
    ('', '', '', '/'),
    ('', '', 'a=b', '/?a=b'),
    ('', '//evil.example', '', ''),
    ('', '///evil.example', '', ''),
    ('/', '/evil.example', '', ''),
    ('', '/\\evil.example', '', '/%5Cevil.example'),
    ('', '\\evil', '', ''),
    ('', 'evil', '', ''),
    ('', '*', '', ''),
    ('', '/a\\b', '', '/a%5Cb'),
    ('', '/a b?c#d', '', '/a%20b%3Fc%23d'),
    ('', '/a%b', '', '/a%25b'),
    ('', '/\xc3\xa9', '', '/%C3%A9'),
    ('', '/\xe9\xff', '', '/%E9%FF'),
    ('', '/\u20ac', '', ''),
    ('', '/\ud800', '', ''),
    ('', '/a\r\nSet-Cookie: x', '', '/a%0D%0ASet-Cookie:%20x'),
    ('', '/a\x00\x7f\t', '', '/a%00%7F%09'),
    ('', '/a', 'b=c d\r\n\xe9', '/a?b=c%20d%0D%0A%E9'),
    ('', '/a', 'b\\', ''),
    ('', '/a', 'b="<>\'&c=%zz', '/a?b="<>\'&c=%zz'),
    ('', '/a', '\u20ac', ''),
    ('', '/./a', '', ''),
    ('', '/../a', '', ''),
    ('', '/a/..', '', ''),
    ('', '/..a', '', '/..a'),
    ('', '/a', 'b=/../', '/a?b=/../'),
    ('', '/' + 'a' * (MAX_CAME_FROM - 1), '', '/' + 'a' * (MAX_CAME_FROM - 1)),
    ('', '/' + 'a' * MAX_CAME_FROM, '', ''),
    ('', '/a', 'b' * MAX_CAME_FROM, ''),
]


class TestCameFrom:
    """The path and query that were asked for, where they can only mean this site."""

    @pytest.mark.parametrize('script_name, path_info, query, expected', HOSTILE_PATHS)
    def test_quoted(self, script_name, path_info, query, expected):
        """Bytes are quoted, and what could mean another site is left out."""
        assert came_from_of({'SCRIPT_NAME': script_name, 'PATH_INFO': path_info,
                             'QUERY_STRING': query}) == expected

    @pytest.mark.parametrize('script_name, path_info, query, expected', HOSTILE_PATHS)
    def test_sent(self, make_site, probe, script_name, path_info, query, expected):
        """What is sent is a Location of one line of ASCII, short, and says that."""
        environ = {**Request.blank('/').environ, 'SCRIPT_NAME': script_name,
                   'PATH_INFO': path_info, 'QUERY_STRING': query}
        answers = []
        make_site(RequireLogin(probe, LOGIN))(
            environ, lambda status, headers: answers.append((status, dict(headers))))
        [(status, headers)] = answers
        assert status == '303 See Other'
        location = headers['Location']
        assert re.fullmatch('[!-~]+', location) and '\\' not in location
        assert len(location) <= len(LOGIN) + len('?came_from=') + MAX_CAME_FROM
        assert urlsplit(location).path == LOGIN
        assert parse_qs(urlsplit(location).query).get('came_from', [''])[0] == expected

    def test_too_long_when_quoted(self, guarded):
        """The bound is on what is sent."""
        location = guarded(LOGIN).get('/' + '%25' * 500).headers['Location']
        assert location == LOGIN

    def test_behind_a_query(self, guarded):
        """A login_url may have a query."""
        location = guarded('/login?a=b').get('/c').headers['Location']
        assert location == '/login?a=b&came_from=/c'

    def test_escaped_in_the_page(self, guarded):
        """What a link brings along cannot break out of the page."""
        visitor = guarded("/login?a='b&c=d")
        text = visitor.get('/%22%3E%3Cscript%3E').text
        assert '<script>' not in text and 'a=&#x27;b&amp;c=d&amp;came_from=' in text
        assert "'" not in visitor.post('/').text

    def test_other_hosts_get_none(self, guarded):
        """Another host would look for our path in its own place."""
        for url in ('https://sso.example.org', 'https://sso.example.org/login?service=shop'):
            assert guarded(url).get('/a').headers['Location'] == url

    def test_there_and_back(self, guarded):
        """What is sent is accepted, and leads to the page that was asked for."""
        path = "/a%20b/%C3%A9;x=1,2/~!$'()*+@:?q=%26&r=a+b&s=/"
        location = guarded(LOGIN).get(path).headers['Location']
        came_from, = parse_qs(urlsplit(location).query)['came_from']
        assert safe_came_from(came_from) == came_from
        assert unquote(came_from) == unquote(path)


EVIL = 'evil.example'
#: what a browser could be made to bring along; which of them are accepted
REFUSED = [
    '', 'a', EVIL, f'//{EVIL}', f'///{EVIL}', f'////{EVIL}', f'/\\{EVIL}', f'\\\\{EVIL}',
    f'\\/{EVIL}', f'/\\/{EVIL}', f'\\{EVIL}', f'https:{EVIL}', f'https:/{EVIL}',
    f'https://{EVIL}', f'http:{EVIL}', f'HTTPS://{EVIL}', f'ftp://{EVIL}', f'https:///{EVIL}',
    'javascript:alert(1)', 'JaVaScRiPt:alert(1)', 'java\tscript:alert(1)',
    'data:text/html,x', 'vbscript:x', 'blob:x', 'about:blank', 'mailto:a@b', 'view-source:/',
    f'/\t/{EVIL}', f'/\n/{EVIL}', f'/\r/{EVIL}', f'\t//{EVIL}', f' //{EVIL}', f'\x00//{EVIL}',
    f'/\x00/{EVIL}', f'/\x0b/{EVIL}', f'/\x1f/{EVIL}', f'/ /{EVIL}', f'\x01/{EVIL}',
    f'/a\r\nLocation: https://{EVIL}', '/a\r\n\r\n<script>', '/a\n', '/a\r', '/a\t', ' /a', '/a ',
    '/a\x7f', '/a\x85', '/a\xa0', '/\xe9', '/\u20ac', '/\ud800', '/\U0001f600',
    f'\u2044\u2044{EVIL}', f'/\u2044{EVIL}', f'/\u2215{EVIL}', f'/\uff0f{EVIL}',
    f'\uff0f\uff0f{EVIL}', f'/\u29f8{EVIL}', f'/\u3000/{EVIL}', f'/\u200b/{EVIL}',
    f'/\ufeff/{EVIL}', f'\u202e/{EVIL}', f'/\uff3c{EVIL}',
    f'/..//{EVIL}', f'/.//{EVIL}', f'/../{EVIL}', f'/a/..//{EVIL}', f'/a/../..//{EVIL}',
    f'/%2e%2e//{EVIL}', f'/%2E//{EVIL}', f'/.%2e//{EVIL}', f'/a/%2e./{EVIL}', '/..', '/.', '/a/.',
    '/a/..', '/..?a', '/a/..#b', '/a\\b', f'/a\\..\\..\\{EVIL}', '/a?b=\\', f'/a#\\\\{EVIL}',
    f'?//{EVIL}', f'#//{EVIL}', '?a', '#a', f';//{EVIL}', f'@{EVIL}', f':{EVIL}', f'.{EVIL}',
    './a', '../a', '*', '/' + 'a' * MAX_CAME_FROM, '/' * 5000, '[', 'http://[', '//[::1]',
]
ACCEPTED = [
    '/', '/a', '/a/', '/a/b?c=d&e=f#g', '/?a', '/#a', '/a//b', f'/a//{EVIL}', '/a/..b', '/a/...',
    '/..a', f'/@{EVIL}', f'/a@{EVIL}', f'/:@{EVIL}', f'/:80@{EVIL}/', f'/;//{EVIL}',
    f'/?//{EVIL}', f'/#//{EVIL}', f'/?next=//{EVIL}', f'/?a=https://{EVIL}/../', '/?a=/../..//b',
    f'/%2f/{EVIL}', f'/%2f%2f{EVIL}', f'/%2F{EVIL}', f'/%5c{EVIL}', f'/%5C/{EVIL}',
    f'/%09/{EVIL}', f'/%0d%0aLocation:%20https://{EVIL}', f'/%00/{EVIL}', f'/%/{EVIL}',
    f'/%zz{EVIL}', f'/https:{EVIL}', f'/https://{EVIL}', '/javascript:alert(1)', f'/.{EVIL}',
    f'/%252f%252f{EVIL}', f'/%e2%81%84{EVIL}', f'/%ef%bc%8f{EVIL}', '/a%20b', '/%C3%A9',
    "/~!$&'()*+,;=:@", '/"<>^`{|}', '/a?b?c', '/?a[b]=c', '/a;b=c', '/%2e%2e%2f', '/%2e%2e%5c',
    '/~root', '/' + 'a' * (MAX_CAME_FROM - 1),
]


@pytest.mark.parametrize('text', REFUSED)
def test_refused_came_from(text):
    """What could lead to another site, or run a script, is refused."""
    assert safe_came_from(text) == ''


@pytest.mark.parametrize('text', ACCEPTED)
def test_accepted_came_from(text):
    """What is a path of this site is given back as it is."""
    assert safe_came_from(text) == text
    assert urlsplit('https://example.org' + text).netloc == 'example.org'


def test_answers_are_wsgi(make_site, probe):
    """Each kind of answer is as PEP 3333 has it."""
    site = validator(make_site(validator(RequireLogin(probe, LOGIN, ['staff']))))
    for method, environ, status in (
            ('GET', {}, 303), ('HEAD', {}, 303), ('POST', {}, 401),
            ('GET', {'REMOTE_USER': 'eve'}, 403)):
        response = Request.blank('/a', method=method, environ=environ).get_response(site)
        assert bool(response.body) == (method != 'HEAD')
        assert response.status_int == status
        assert int(response.headers['Content-Length']) > 60


def test_answers_are_for_no_frame_and_no_script(make_site, probe):
    """Nothing on such a page is loaded or run, it is in no other page, and it is HTML."""
    site = make_site(RequireLogin(probe, LOGIN, ['staff']))
    for method, environ in ('GET', {}), ('POST', {}), ('GET', {'REMOTE_USER': 'eve'}):
        headers = Request.blank('/a', method=method, environ=environ).get_response(site).headers
        assert headers['Content-Security-Policy'] == (
            "default-src 'none'; base-uri 'none'; frame-ancestors 'none'")
        assert headers['X-Content-Type-Options'] == 'nosniff'


def test_doctest():
    """The example at the head of the file runs."""
    assert doctest.testmod(requirelogin).failed == 0
