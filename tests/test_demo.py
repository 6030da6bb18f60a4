"""The demonstration: the applications of development.ini, composed by that very file."""
from __future__ import annotations

import base64
import contextlib
import doctest
import functools
import hashlib
import logging
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
import xmlrpc.client
from pathlib import Path
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import pytest
from paste.deploy import loadapp
from surroundings import free_port, missing, run_together
from webtest import TestApp

from paste_sessioncookie import (
    Namespace, RevocationUnavailable, SessionCookieHandler, profile)
from paste_sessioncookie.demo import accounts, pages, store, web
from paste_sessioncookie.revocation import NoRevocations

INI = Path(__file__).parent.parent / 'development.ini'
HTTPS = {'wsgi.url_scheme': 'https', 'HTTP_HOST': 'localhost', 'SERVER_PORT': '443'}
COOKIE = '__Host-site_session'
PASSWORDS = {name: password for name, password, _ in accounts.DEMO_USERS}
EVERY_PAGE = ('/', '/accounts', '/blog', '/news', '/wiki', '/wiki/page/Home',
              '/wiki/page/Missing', '/accounts/login', '/missing')


def write_ini(directory, port, session=''):
    """A copy of development.ini, with another port and more options of the session."""
    text = INI.read_text(encoding='utf-8')
    assert text.count('8080') == 3
    assert text.count('secret =') == 1
    text = text.replace('8080', str(port)).replace('secret =', f'{session}\nsecret =')
    path = directory / INI.name
    path.write_text(text, encoding='utf-8')
    return path


class Quiet(WSGIRequestHandler):
    def log_message(self, *args):
        pass


class Threaded(ThreadingMixIn, WSGIServer):
    """A browser opens connections ahead; one that says nothing must not be in the way."""

    daemon_threads = True


@contextlib.contextmanager
def listening(app, port=0):
    """Serve an application over HTTP from a thread; gives the port."""
    server = make_server('127.0.0.1', port, app, Threaded, Quiet)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(scope='session')
def first_start(tmp_path_factory):
    """The databases as the first start makes them: hashing passwords is slow."""
    directory = tmp_path_factory.mktemp('demo')
    loadapp(f'config:{write_ini(directory, 1)}')
    return directory / 'demo-data'


class Site:
    """The whole site in this process, with the profile server listening."""

    def __init__(self, directory, port, session=''):
        self.data = directory / 'demo-data'
        self.app = loadapp(f'config:{write_ini(directory, port, session)}')

    def visitor(self):
        return Visitor(self.app, extra_environ=HTTPS)

    def rows(self, database, query):
        connection = sqlite3.connect(self.data / f'{database}.sqlite')
        try:
            with connection:
                return connection.execute(query).fetchall()
        finally:
            connection.close()


class Visitor(TestApp):
    """A browser."""

    __test__ = False

    def log_in(self, name='ada', password=None, path='/accounts', status=None):
        form = self.get(path).form
        form['name'] = name
        form['password'] = PASSWORDS[name] if password is None else password
        return form.submit(status=status)

    def log_out(self):
        return self.get('/accounts').form.submit()

    def write(self, path, text):
        form = self.get(path).forms[0]
        form['text'] = text
        return form.submit()

    def come_with(self, cookie):
        self.reset()
        return self.get('/', headers={'Cookie': f'{COOKIE}={cookie}'})

    def drafts(self, path):
        return [each.text for each in self.get(path).html.select('li .text')]

    def choose(self, path, theme):
        form = self.get(path).forms[1]
        form['theme'] = theme
        return form.submit()


# what it answers is so, but once for each password and salt
remembered_hash = functools.cache(accounts.hash_password)


@pytest.fixture
def directory(tmp_path, first_start, monkeypatch):
    monkeypatch.setattr(accounts, 'hash_password', remembered_hash)
    shutil.copytree(first_start, tmp_path / 'demo-data')
    return tmp_path


@pytest.fixture
def site(directory):
    profiles = loadapp(f'config:{write_ini(directory, 1)}', name='profiles')
    with listening(profiles) as port:
        yield Site(directory, port)


@pytest.fixture
def visitor(site):
    return site.visitor()


@pytest.fixture
def session_ids(monkeypatch):
    """Every session ID that an application has seen."""
    seen = set()

    class Spy(web.Request):
        def __init__(self, environ):
            super().__init__(environ)
            seen.add(str(self.control.id))

    monkeypatch.setattr(web, 'Request', Spy)
    return seen


# -- all pages ---------------------------------------------------------------


def test_front_page_links_every_application(visitor):
    """The front page explains in six lines, and leads everywhere."""
    page = visitor.get('/')
    assert len(page.html.select('main ol > li')) == 6
    visitor.log_in('ada')
    for path in ('/accounts', '/blog', '/news', '/wiki', '/staff'):
        assert page.html.select(f'main a[href="{path}"]')
        visitor.get(path)


def test_front_page_shows_the_visitor(visitor):
    """Logged in or not, and why the session is what it is."""
    assert re.search(r'Logged in\s*nobody\s*Status of the cookie\s*new',
                     visitor.get('/').html.aside.text)
    visitor.log_in('ada')
    state = visitor.get('/').html.aside.text
    assert re.search(r'Logged in\s*ada \(groups: staff, editors\)', state)
    assert re.search(r'Status of the cookie\s*ok', state)
    assert 'made by this request' not in state


def test_user_without_groups(visitor):
    """Somebody in no group is shown so."""
    visitor.log_in('linus')
    assert 'linus (groups: none)' in visitor.get('/').html.aside.text


def test_each_application_sees_another_session(visitor):
    """The hashes of the IDs differ, and stay."""
    def hashes():
        return [visitor.get(path).html.aside.select('code')[1].text
                for path in ('/', '/accounts', '/blog', '/news', '/wiki')]
    first = hashes()
    assert len(set(first)) == 5
    assert hashes() == first


@pytest.mark.parametrize('path', EVERY_PAGE)
@pytest.mark.parametrize('user', [None, 'ada'])
def test_page_is_accessible(visitor, path, user):
    """A title, landmarks, one heading of the first rank, a label for each field."""
    if user:
        visitor.log_in(user)
    tree = visitor.get(path, status='*').html
    assert tree.html['lang'] == 'en'
    assert tree.title.text.startswith(tree.h1.text)
    for landmark in ('main', 'header', 'nav', 'h1', 'aside'):
        assert len(tree.select(landmark)) == 1
    assert tree.select(tree.select('a.skip')[0]['href'])
    identifiers = [each['id'] for each in tree.select('[id]')]
    assert len(identifiers) == len(set(identifiers))
    for field in tree.select('input:not([type=hidden]), textarea'):
        assert field.find_parent('label') or tree.select(f'label[for={field["id"]}]')
    for attribute in ('aria-labelledby', 'aria-describedby'):
        for each in tree.select(f'[{attribute}]'):
            assert each[attribute] in identifiers


@pytest.mark.parametrize('path', EVERY_PAGE)
def test_page_says_where_one_is(visitor, path):
    """The navigation marks the application."""
    here = visitor.get(path, status='*').html.select('[aria-current=page]')
    mount = re.match('/(accounts|blog|news|wiki|)', path)[0]
    assert [each['href'] for each in here] == [mount]


def test_no_outside_resource(visitor):
    """The style sheet is in the page, and the browser takes no other."""
    page = visitor.get('/')
    digest = hashlib.sha256(page.html.style.string.encode()).digest()
    policy = page.headers['Content-Security-Policy']
    assert f"style-src 'sha256-{base64.b64encode(digest).decode()}';" in policy
    assert "default-src 'none'" in policy
    assert 'http' not in page.text


def palettes():
    for name in ('_LIGHT', '_DARK', '_SEPIA'):
        yield name, dict(re.findall(r'--([a-z-]+): (#[0-9a-f]{6})', getattr(pages, name)))


@pytest.mark.parametrize('name, colours', list(palettes()))
def test_contrast(name, colours):
    """7 for text and 3 for the edges of controls, in every theme."""
    for front in ('text', 'quiet', 'link'):
        for ground in ('ground', 'card'):
            assert contrast(colours[front], colours[ground]) >= 7, (front, ground)
    assert contrast(colours['on-act'], colours['act']) >= 7
    assert contrast(colours['alert'], colours['alert-ground']) >= 7
    assert contrast(colours['edge'], colours['card']) >= 3
    assert contrast(colours['edge'], colours['ground']) >= 3


def contrast(one, other):
    """WCAG 2.2's contrast ratio of two colours #rrggbb."""
    def luminance(colour):
        parts = [int(colour[at:at + 2], 16) / 255 for at in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
                  for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def test_nothing_secret_is_shown(site, visitor, session_ids, caplog):
    """No session ID, cookie or tag stands on a page or in the log."""
    caplog.set_level(logging.DEBUG)
    visitor.get('/')
    shown = visitor.write('/blog', 'mine').text
    before = visitor.cookies[COOKIE]
    visitor.log_in()
    visitor.write('/wiki/edit/Home', 'text')
    for path in EVERY_PAGE + ('/wiki/edit/Home',):
        shown += visitor.get(path, status='*').text
    after = visitor.cookies[COOKIE]
    shown += visitor.come_with(before[:-1] + 'x').text + caplog.text
    assert 'bad-signature' in caplog.text
    assert len(session_ids) >= 9
    for cookie in (before, after):
        parts = [part for part in re.split('[.!]', cookie) if len(part) > 30]
        assert len(parts) >= 2
        for part in (cookie, *parts, *session_ids):
            assert part not in shown
    assert (site.data.parent / 'session.secret').read_text().strip() not in shown


def test_pages_are_nobody_elses(visitor):
    """No cache, and no page of another site around it."""
    headers = visitor.get('/blog').headers
    assert headers['Cache-Control'] == 'no-store'
    assert "frame-ancestors 'none'" in headers['Content-Security-Policy']
    assert headers['X-Content-Type-Options'] == 'nosniff'
    assert headers['Referrer-Policy'] == 'same-origin'


def test_html_escapes():
    """What is put into a template is escaped, unless it is HTML already."""
    found, _ = doctest.testmod(pages)
    assert found == 0
    assert pages.html('<i title="{}">{}</i>', '"&\'', pages.Html('<b>')) == (
        '<i title="&quot;&amp;&#x27;"><b></i>')


def test_under_issue_kept(directory):
    """Where cookies go out only if something is kept, a form keeps the session."""
    visitor = Site(directory, 1, 'issue = kept').visitor()
    assert 'Set-Cookie' not in visitor.get('/').headers
    visitor.write('/blog', 'mine')
    assert visitor.drafts('/blog') == ['mine']


# -- requests ----------------------------------------------------------------


def test_missing_page(visitor):
    """What is not there is not found."""
    for path in ('/missing', '/accounts/missing', '/blog/draft/1', '/wiki/page/'):
        assert 'There is no such page.' in visitor.get(path, status=404)


def test_wrong_method(visitor):
    """What only posts change says so, and what only shows, too."""
    assert visitor.get('/accounts/logout', status=405).headers['Allow'] == 'POST'
    assert visitor.delete('/blog', status=405).headers['Allow'] == 'GET'
    assert visitor.put('/wiki/edit/Home', status=405).headers['Allow'] == 'GET, POST'


def test_head(visitor):
    """HEAD is GET without the page."""
    answer = visitor.head('/accounts')
    assert answer.status_int == 200
    assert answer.body == b''
    assert int(answer.headers['Content-Length']) > 1000


@pytest.mark.parametrize('body, environ, status', [
    ('token=%ff', {}, 400),
    ('token=ä', {}, 400),
    ('&'.join(f'{n}=' for n in range(21)), {}, 400),
    ('', {'CONTENT_LENGTH': ''}, 411),
    ('', {'CONTENT_LENGTH': '-1'}, 411),
    ('', {'CONTENT_LENGTH': '²'}, 411),
    ('', {'CONTENT_LENGTH': str(web.MAX_BODY + 1)}, 413),
    ('', {'CONTENT_LENGTH': '9' * 5000}, 413),
])
def test_bad_form(site, body, environ, status):
    """A body that no form here sends is refused, and read only if it is short."""
    class Lint(Visitor):
        def __init__(self, app, **kw):
            super().__init__(app, lint=False, **kw)
    visitor = Lint(site.app, extra_environ=HTTPS)
    visitor.get('/blog')
    request = visitor.RequestClass.blank(
        '/blog/draft', method='POST', body=body.encode(),
        content_type='application/x-www-form-urlencoded')
    request.environ.update(environ)
    assert visitor.do_request(request, status=status).html.select('[role=alert]')


def test_form_cut_off():
    """A client that hangs up in the middle of a form is refused, where the server says so."""
    class CutOff:
        def read(self, length):
            raise OSError('the client has gone')
    with pytest.raises(web.Refusal) as refused:
        web.read_body({'CONTENT_LENGTH': '10', 'wsgi.input': CutOff()})
    assert refused.value.status == '400 Bad Request'


def test_bad_query(visitor):
    """A query string that cannot be read is refused."""
    visitor.get('/accounts?came_from=%ff', status=400)


@pytest.mark.parametrize('path', ['/accounts/login', '/accounts/logout',
                                  '/accounts/everywhere', '/blog/draft',
                                  '/blog/delete', '/news/theme', '/wiki/edit/Home'])
@pytest.mark.parametrize('token', ['', 'x' * 64, 'ä', None])
def test_post_needs_the_token(site, visitor, path, token):
    """Without its token nothing is changed, not even for who is logged in."""
    visitor.log_in()
    visitor.write('/blog', 'mine')
    number, = site.rows('weblog', 'SELECT number FROM draft')[0]
    fields = {'name': 'grace', 'password': PASSWORDS['grace'], 'text': 'forged',
              'number': str(number), 'theme': 'night'}
    if token is not None:
        fields['token'] = token
    refusal = visitor.post(path, fields, status=403)
    assert 'not of your present session' in refusal
    assert 'ada' in visitor.get('/').html.aside.text
    assert visitor.drafts('/blog') == ['mine']
    assert visitor.get('/news').html.html['data-theme'] == 'system'
    assert 'forged' not in visitor.get('/wiki/page/Home')


def test_token_of_another_application(visitor):
    """A token is of one application and one session."""
    token = visitor.get('/news').forms[0]['token'].value
    form = visitor.get('/blog').forms[0]
    assert form['token'].value not in ('', token)
    form['token'] = token
    form['text'] = 'forged'
    form.submit(status=403)


def test_form_from_before_the_login(visitor):
    """A form that was loaded before the login is refused after it."""
    form = visitor.get('/blog').forms[0]
    visitor.log_in()
    form['text'] = 'late'
    assert 'logged in or out since' in form.submit(status=403)


# -- accounts ----------------------------------------------------------------


@pytest.mark.parametrize('name', PASSWORDS)
def test_log_in_and_out(visitor, name):
    """Each demonstration user can log in, for every application, and out."""
    answer = visitor.log_in(name)
    assert answer.status_int == 303
    assert answer.headers['Location'] == '/accounts/'
    assert f'You are {name}, here and' in answer.follow().html.main.text
    for path in ('/', '/blog', '/news', '/wiki'):
        assert visitor.get(path).html.aside.strong.text == name
    answer = visitor.log_out()
    assert answer.status_int == 303
    assert answer.headers['Location'] == '/accounts/'
    for path in ('/', '/accounts', '/blog', '/news', '/wiki'):
        assert visitor.get(path).html.aside.strong is None


def test_page_tells_the_passwords(visitor):
    """It is a demonstration: each user and password stands on the page."""
    table = visitor.get('/accounts').html.table.text
    for name, password in PASSWORDS.items():
        assert name in table and password in table


@pytest.mark.parametrize('name, password', [
    ('ada', 'wrong'), ('ada', ''), ('nobody', 'analytical engine'), ('', ''),
    ('<b>', '"\'>'), ('ada', PASSWORDS['grace']), ("' OR 1=1 --", 'x')])
def test_wrong_password(visitor, name, password):
    """It says so, keeps the name in the form, and nobody is logged in."""
    page = visitor.log_in(name, password, status=403)
    assert 'do not belong together' in page.html.select('[role=alert]')[0].text
    assert page.form['name'].value == name
    assert page.form['password'].value == ''
    assert visitor.get('/').html.aside.strong is None


def test_unknown_user_takes_the_same_work(visitor, monkeypatch):
    """One password is hashed, with the same parameters, for whoever it is."""
    calls = []

    def scrypt(password, **parameters):
        calls.append({**parameters, 'salt': len(parameters['salt'])})
        return bytes(64)

    monkeypatch.undo()
    monkeypatch.setattr(hashlib, 'scrypt', scrypt)
    visitor.log_in('ada', 'x', status=403)
    visitor.log_in('nobody', 'x', status=403)
    assert calls == [{'salt': 16, 'n': 16384, 'r': 8, 'p': 5}] * 2


def test_passwords_are_hashed(site):
    """The database has salts and hashes, all different, and no password."""
    rows = site.rows('accounts', 'SELECT name, salt, hash FROM user')
    assert len({salt for _, salt, _ in rows}) == len({digest for *_, digest in rows}) == 3
    data = (site.data / 'accounts.sqlite').read_bytes()
    for name, salt, digest in rows:
        password = PASSWORDS[name].encode()
        assert hashlib.scrypt(password, salt=salt, n=16384, r=8, p=5) == digest
        assert password not in data


def test_second_start_keeps_data(site):
    """What the first start made, and what people have made of it, stays."""
    before = site.rows('accounts', 'SELECT * FROM user')
    site.rows('wiki', "UPDATE page SET text = 'Ours'")
    Site(site.data.parent, 1)
    assert site.rows('accounts', 'SELECT * FROM user') == before
    assert site.rows('wiki', 'SELECT text FROM page') == [('Ours',)]


@pytest.mark.parametrize('came_from', ['/wiki/page/Home', '/', '/blog?a=b&c=%20#d'])
def test_back_to_where_one_came_from(visitor, came_from):
    """After the login the browser goes back, also if the first try was wrong."""
    query = urllib.parse.urlencode({'came_from': came_from})
    form = visitor.log_in('ada', 'wrong', f'/accounts?{query}', status=403).form
    form['name'], form['password'] = 'ada', PASSWORDS['ada']
    assert form.submit().headers['Location'] == came_from


@pytest.mark.parametrize('came_from', [
    '', 'wiki', '//evil.example', '/\\evil.example', 'https://evil.example', '/\t/evil',
    '/a\r\nSet-Cookie: x', '/a b', '/é', '/a\n', '\\evil', ' /wiki', 'javascript:alert(1)'])
def test_only_back_to_this_site(visitor, came_from):
    """What could lead elsewhere is not followed."""
    form = visitor.get('/accounts').form
    form['name'], form['password'], form['came_from'] = 'ada', PASSWORDS['ada'], came_from
    assert form.submit().headers['Location'] == '/accounts/'


def test_came_from_is_escaped(visitor):
    """What a link brings along cannot break out of the form."""
    page = visitor.get('/accounts?came_from=%22%3E%3Cscript%3E')
    assert page.form['came_from'].value == '"><script>'
    assert not page.html.select('script')


def test_logged_out_copy_is_void(visitor):
    """Whoever copied the cookie is logged out, too."""
    visitor.log_in()
    copy = visitor.cookies[COOKIE]
    visitor.log_out()
    assert 'revoked' in visitor.come_with(copy).html.aside.text


def test_log_out_that_calls_nothing_back(directory):
    """Where copies cannot be revoked, the page says so."""
    visitor = Site(directory, 1, 'revocation = none').visitor()
    visitor.log_in()
    assert 'could not be called back' in visitor.log_out()
    assert visitor.get('/').html.aside.strong is None


def test_log_in_while_the_list_is_away(directory):
    """Nobody can log in, and the page says so."""
    class Away(NoRevocations):
        def revoked_up_to(self, user):
            raise RevocationUnavailable('away')

    app = accounts.make_accounts({}, str(directory / 'demo-data/accounts.sqlite'))
    site = SessionCookieHandler(Namespace(app, '/accounts', login=True),
                                secret=os.urandom(32), revocations=Away())
    visitor = Visitor(site, extra_environ=HTTPS)
    form = visitor.get('/').form
    form.action = '/login'
    form['name'], form['password'] = 'ada', PASSWORDS['ada']
    assert 'try again later' in form.submit(status=503)


def test_log_out_everywhere(site, visitor):
    """After a question, every browser and every copy is logged out, and nobody else."""
    others = {name: site.visitor() for name in ('ada', 'grace')}
    for name, other in others.items():
        other.log_in(name)
    visitor.log_in('ada')
    copy = visitor.cookies[COOKIE]
    link = visitor.get('/accounts').html.select('main a')[0]['href']
    question = visitor.get(link)
    assert 'Every login of yours' in question
    assert visitor.get('/').html.aside.strong.text == 'ada'  # so far
    assert 'as ada, in any browser, is logged out' in question.form.submit().html.main.text
    for each in (visitor, others['ada']):
        assert each.get('/').html.aside.strong is None
    assert 'revoked' in visitor.come_with(copy).html.aside.text
    assert others['grace'].get('/').html.aside.strong.text == 'grace'
    visitor.log_in('ada')
    assert visitor.get('/').html.aside.strong.text == 'ada'


def test_nobody_logs_out_everywhere(site, visitor):
    """Who is not logged in is asked nothing, and can end nothing."""
    other = site.visitor()
    other.log_in('ada')
    assert visitor.get('/accounts/everywhere').headers['Location'] == '/accounts/'
    token = visitor.get('/accounts').form['token'].value
    answer = visitor.post('/accounts/everywhere', {'token': token})
    assert answer.headers['Location'] == '/accounts/'
    assert other.get('/').html.aside.strong.text == 'ada'


def test_log_out_everywhere_without_a_list(directory):
    """Where logins cannot be revoked, the page says so, and one stays logged in."""
    visitor = Site(directory, 1, 'revocation = none').visitor()
    visitor.log_in()
    form = visitor.get('/accounts/everywhere').form
    assert 'try again later' in form.submit(status=503)
    assert visitor.get('/').html.aside.strong.text == 'ada'


def test_only_accounts_may_log_in(site):
    """One application is the door; the others are told who came in."""
    doors = {path: site.app.application[None, path].login
             for path in ('/accounts', '/blog', '/news', '/wiki')}
    assert doors == {'/accounts': True, '/blog': False, '/news': False, '/wiki': False}


# -- staff -------------------------------------------------------------------


def test_staff_only(visitor):
    """One is sent to log in, comes back, and is in; the page lists the users."""
    answer = visitor.get('/staff/?by=name')
    assert answer.status_int == 303
    assert answer.headers['Location'] == '/accounts/login?came_from=/staff/%3Fby%3Dname'
    answer = visitor.log_in('ada', path=answer.headers['Location'])
    assert answer.headers['Location'] == '/staff/?by=name'
    cells = [each.text for each in answer.follow().html.main.select('tbody tr')]
    assert cells == ['adastaff, editors', 'graceeditors', 'linusnone']


def test_not_staff(visitor):
    """Who is in another group is refused, and not sent to log in."""
    visitor.log_in('grace')
    assert 'not open to you' in visitor.get('/staff', status=403)


# -- weblog ------------------------------------------------------------------


def test_drafts_of_two_instances(site, visitor):
    """Blog and News have one database, and never each other's drafts or counter."""
    visitor.write('/blog', 'for the blog')
    visitor.write('/blog', 'second')
    assert visitor.drafts('/blog') == ['second', 'for the blog']
    assert visitor.drafts('/news') == []
    visitor.write('/news', 'for the news')
    assert visitor.drafts('/news') == ['for the news']
    assert 'You have saved 2 drafts' in visitor.get('/blog')
    assert 'You have saved one draft' in visitor.get('/news')
    assert len(site.rows('weblog', 'SELECT DISTINCT session FROM draft')) == 2


def test_titles_of_two_instances(site, visitor):
    """The one section of the file takes its title from where it is mounted."""
    assert visitor.get('/blog').html.h1.text == 'Blog'
    assert visitor.get('/news').html.h1.text == 'News'
    weblog = loadapp(f'config:{site.data.parent / INI.name}', name='weblog_app')
    root = Visitor(SessionCookieHandler(weblog, secret=os.urandom(32)),
                   extra_environ=HTTPS)
    assert root.get('/').html.h1.text == 'Weblog'


def test_visitors_do_not_see_each_other(site, visitor):
    """Another visitor has other drafts, and cannot delete these."""
    visitor.write('/blog', 'mine')
    other = site.visitor()
    other.write('/blog', 'his')
    assert other.drafts('/blog') == ['his']
    number = visitor.get('/blog').forms[1]['number'].value
    form = other.get('/blog').forms[1]
    form['number'] = number
    assert form.submit().status_int == 303
    assert visitor.drafts('/blog') == ['mine']
    assert other.drafts('/blog') == ['his']


def test_delete_a_draft(visitor):
    """A deleted draft is gone, and still counts as saved."""
    visitor.write('/blog', 'one')
    visitor.write('/blog', 'two')
    form = visitor.get('/blog').forms[1]
    assert form.submit().headers['Location'] == '/blog/'
    assert visitor.drafts('/blog') == ['one']
    assert 'You have saved 2 drafts' in visitor.get('/blog')


def test_draft_is_escaped(visitor):
    """What was typed is text."""
    text = '<script>alert("1")</script> & {} \u2013 two\nlines'
    visitor.write('/blog', text)
    page = visitor.get('/blog')
    assert not page.html.select('script')
    assert visitor.drafts('/blog') == [text]


def test_line_ends(site, visitor):
    """Browsers send the line ends of the net; kept are those of Unix."""
    visitor.write('/blog', 'two\r\nlines')
    assert site.rows('weblog', 'SELECT text FROM draft') == [('two\nlines',)]


def test_empty_draft(visitor):
    """Nothing is not kept."""
    form = visitor.get('/blog').forms[0]
    form['text'] = ' \n'
    assert 'There is no text' in form.submit(status=400)
    assert visitor.drafts('/blog') == []


def test_drafts_survive_the_login(site, visitor):
    """Drafts and counter move to the session of the login, and nowhere else."""
    visitor.write('/blog', 'before')
    visitor.write('/news', 'news')
    old = site.rows('weblog', 'SELECT session FROM counter')
    visitor.log_in()
    assert visitor.drafts('/blog') == ['before']
    visitor.write('/blog', 'after')
    assert visitor.drafts('/blog') == ['after', 'before']
    assert 'You have saved 2 drafts' in visitor.get('/blog')
    visitor.write('/news', 'more news')
    assert visitor.drafts('/news') == ['more news', 'news']
    new = site.rows('weblog', 'SELECT session FROM counter')
    assert len(new) == 2 and not set(old) & set(new)


def test_two_requests_carry_at_once(site, visitor, monkeypatch):
    """The second finds nothing to move, and adds nothing."""
    visitor.write('/blog', 'before')
    visitor.log_in()
    weblog = site.app.application[None, '/blog'].application
    kept, passed = weblog._kept, []

    def slow(session):
        answer = kept(session)
        if not passed:  # between looking and moving another request comes
            passed.append(True)
            visitor.get('/blog')
        return answer

    monkeypatch.setattr(weblog, '_kept', slow)
    assert visitor.drafts('/blog') == ['before']
    assert 'You have saved one draft' in visitor.get('/blog')


def test_reading_takes_no_lock(site, visitor, monkeypatch):
    """Who has nothing to carry reads while somebody else writes."""
    visitor.log_in()
    monkeypatch.setattr(store, 'BUSY_TIMEOUT', 0)
    with contextlib.closing(sqlite3.connect(site.data / 'weblog.sqlite')) as other:
        other.execute('BEGIN IMMEDIATE')
        assert visitor.drafts('/blog') == []


def test_drafts_end_with_the_session(visitor):
    """After a log-out nobody sees what the user wrote, not even the next user."""
    visitor.log_in('ada')
    visitor.write('/blog', 'secret plans')
    visitor.log_out()
    assert visitor.drafts('/blog') == []
    visitor.log_in('grace')
    assert visitor.drafts('/blog') == []


def test_change_of_user_carries_nothing(visitor):
    """From one user to another nothing is moved."""
    login = visitor.get('/accounts').form
    visitor.log_in('ada')
    visitor.write('/blog', 'mine')
    login['token'] = visitor.get('/accounts').form['token'].value
    login['name'], login['password'] = 'grace', PASSWORDS['grace']
    assert login.submit().follow().html.main.strong.text == 'grace'
    assert visitor.drafts('/blog') == []


def test_old_sessions_go(site, visitor):
    """What is kept of sessions that are over goes when somebody writes."""
    visitor.write('/blog', 'old')
    for table in ('draft', 'counter'):
        site.rows('weblog', f'UPDATE {table} SET at = at - 13 * 3600')
    other = site.visitor()
    other.write('/blog', 'new')
    assert site.rows('weblog', 'SELECT text FROM draft') == [('new',)]
    assert len(site.rows('weblog', 'SELECT * FROM counter')) == 1


def test_themes_of_two_instances(site, visitor):
    """A theme is a value in the cookie, of one instance; the database has none."""
    visitor.get('/blog')
    before = visitor.cookies[COOKIE]
    visitor.choose('/blog', 'sepia')
    assert visitor.get('/blog').html.html['data-theme'] == 'sepia'
    assert visitor.get('/news').html.html['data-theme'] == 'system'
    visitor.choose('/news', 'night')
    assert visitor.get('/blog').html.html['data-theme'] == 'sepia'
    assert visitor.get('/news').html.html['data-theme'] == 'night'
    checked, = visitor.get('/news').html.select('input[checked]')
    assert checked['value'] == 'night'
    assert len(visitor.cookies[COOKIE]) > len(before)
    assert site.rows('weblog', 'SELECT * FROM counter') == []


def test_unknown_theme(visitor):
    """Only a theme that there is goes into the cookie."""
    form = visitor.get('/blog').forms[1]
    form['theme'].force_value('"><script>')
    assert 'no such theme' in form.submit(status=400)
    assert visitor.get('/blog').html.html['data-theme'] == 'system'


# -- wiki --------------------------------------------------------------------


def test_wiki_for_anybody(site, visitor):
    """Who is not logged in may read, and no session or record is made of him."""
    assert visitor.get('/wiki').html.select('main a[href="/wiki/page/Home"]')
    page = visitor.get('/wiki/page/Home')
    assert 'You may read.' in page
    assert page.html.select('main a[href="/wiki/page/Another%20page"]')
    assert site.rows('wiki', 'SELECT * FROM session') == []
    assert site.rows('wiki', 'SELECT * FROM member') == []


def test_wiki_recognises_a_login(site, visitor, session_ids):
    """At first sight it makes a record, from the profile server, and its own session."""
    visitor.log_in('ada')
    page = visitor.get('/wiki/page/Home')
    assert 'Welcome, Ada Lovelace.' in page.html.main.text
    assert 'ada@example.org' in page and 'algebraic patterns' in page
    assert site.rows('wiki', 'SELECT user, full_name, email, motto FROM member') == [
        ('ada', 'Ada Lovelace', 'ada@example.org', 'The engine weaves algebraic patterns.')]
    (session, user), = site.rows('wiki', 'SELECT id, user FROM session')
    assert user == 'ada' and session in session_ids


def test_wiki_asks_once(site, visitor):
    """What the record holds is not asked again, nor overwritten."""
    visitor.log_in('ada')
    visitor.get('/wiki')
    site.rows('wiki', "UPDATE member SET full_name = 'Countess'")
    assert 'Countess' in visitor.get('/wiki')
    other = site.visitor()
    other.log_in('ada')
    assert 'Countess' in other.get('/wiki')
    assert len(site.rows('wiki', 'SELECT * FROM session')) == 2


def test_wiki_user_without_profile(visitor, caplog):
    """Somebody whom the profile server does not know is welcome by his name."""
    visitor.log_in('linus')
    assert 'Welcome, linus.' in visitor.get('/wiki').html.main.text
    assert not caplog.records


def test_profile_server_away(directory, caplog):
    """A warning and an empty record; when it is back, the next login fills it."""
    port, now = free_port(), [0.0]
    site = Site(directory, port)
    site.app.application[None, '/wiki'].application.profiles._clock = lambda: now[0]
    visitor = site.visitor()
    for _ in range(2):
        visitor.log_in('grace')
        assert 'Welcome, grace.' in visitor.get('/wiki').html.main.text
        visitor.get('/wiki')
        visitor.log_out()
    assert [each.levelname for each in caplog.records] == ['WARNING']  # not for each page
    now[0] += profile.RETRY
    with listening(loadapp(f'config:{directory / INI.name}', name='profiles'), port):
        visitor.log_in('grace')
        assert 'Welcome, Grace Hopper.' in visitor.get('/wiki').html.main.text


def test_edit_a_page(site, visitor):
    """Who is logged in writes; the page tells by whom, and the session counts."""
    visitor.log_in('grace')
    answer = visitor.write('/wiki/edit/Another page', 'About [[Home]].\n\n<b>Bold</b> [[no]]')
    assert answer.headers['Location'] == '/wiki/page/Another%20page'
    page = answer.follow()
    assert page.html.select('.text')[0].text == 'About Home.'
    assert page.html.select('.text')[1].text == '<b>Bold</b> [[no]]'
    assert page.html.select('.text a')[0]['href'] == '/wiki/page/Home'
    assert 'Last edited by Grace Hopper.' in page
    assert re.search(r'Edits in this session\s*1', page.html.main.text)
    assert visitor.get('/wiki').html.select('main a[href="/wiki/page/Another%20page"]')
    form = visitor.get('/wiki/edit/Another page').form
    assert form['text'].value.startswith('About [[Home]].')
    assert site.visitor().get('/wiki/page/Another page').status_int == 200


def test_missing_wiki_page(visitor):
    """A page that is not there can be written."""
    page = visitor.get('/wiki/page/Missing', status=404)
    assert page.html.select('main a[href="/wiki/edit/Missing"]')


def test_edit_without_login(visitor):
    """One logs in first, and comes back to the page."""
    answer = visitor.get('/wiki/edit/Another page')
    assert answer.status_int == 303
    answer = visitor.log_in('ada', path=answer.headers['Location'])
    assert answer.headers['Location'] == '/wiki/edit/Another%20page'


def test_save_without_login(visitor):
    """A form of a page in which nobody is logged in changes nothing."""
    # the token is that of this session and namespace, however one came by it
    request = web.Request(_environ(visitor, '/wiki'))
    answer = visitor.post('/wiki/edit/Home', {'token': request._token(), 'text': 'forged'},
                          status=403)
    assert 'Only who is logged in' in answer
    assert 'forged' not in visitor.get('/wiki/page/Home')


def _environ(visitor, path):
    """The environ that the application at a path sees."""
    seen = []
    wiki_ = visitor.app.application[None, path].application.application
    real = wiki_.routes['/']['GET']

    def spy(request):
        seen.append(request.environ)
        return real(request)

    wiki_.routes['/']['GET'] = spy
    visitor.get(path)
    visitor.get(path)
    return seen[-1]


def test_empty_page(visitor):
    """A page of nothing is refused."""
    visitor.log_in()
    form = visitor.get('/wiki/edit/Home').form
    form['text'] = '\n'
    assert 'takes some text' in form.submit(status=400)


@pytest.mark.parametrize('name', ['home', 'A_b', 'A' * 41, '%3Cb%3E', 'A%0A', '%C3%84'])
def test_bad_page_name(visitor, name):
    """What cannot be a name is not found, whoever asks."""
    visitor.log_in()
    for path in ('page', 'edit'):
        assert 'A page’s name is' in visitor.get(f'/wiki/{path}/{name}', status=404)


def test_old_wiki_sessions_go(site, visitor):
    """Sessions that are over go when somebody comes; who still comes has a new one."""
    visitor.log_in()
    visitor.get('/wiki')
    site.rows('wiki', 'UPDATE session SET at = at - 13 * 3600')
    other = site.visitor()
    other.log_in('grace')
    other.get('/wiki')
    assert site.rows('wiki', 'SELECT user FROM session') == [('grace',)]
    assert 'Welcome, Ada Lovelace' in visitor.get('/wiki').html.main.text
    assert len(site.rows('wiki', 'SELECT user FROM session')) == 2


# -- profiles ----------------------------------------------------------------


def test_profile_by_xmlrpc(site):
    """Any XML-RPC client can ask, through all filters of the site, without a session."""
    with listening(site.app) as port:
        with xmlrpc.client.ServerProxy(f'http://127.0.0.1:{port}/profiles') as server:
            assert server.get_profile('ada')['full_name'] == 'Ada Lovelace'
            assert server.get_profile('nobody') == {}
            with pytest.raises(xmlrpc.client.Fault):
                server.get_profile({})
            with pytest.raises(xmlrpc.client.Fault):
                server.missing()


ENTITIES = '''<!DOCTYPE x [<!ENTITY a "ada">]><methodCall><methodName>get_profile</methodName>
<params><param><value>&a;</value></param></params></methodCall>'''


@pytest.mark.parametrize('call', [
    '<no call', '', ENTITIES, xmlrpc.client.dumps((), 'get_profile'),
    xmlrpc.client.dumps(('ada', 'grace'), 'get_profile'), xmlrpc.client.dumps((1,), 'get_profile'),
    xmlrpc.client.dumps(('ada',), 'system.listMethods'), xmlrpc.client.dumps(('ada',))])
def test_profile_calls_that_are_none(visitor, call):
    """What is no call of the one method is a fault; entities, which grow, are none."""
    with pytest.raises(xmlrpc.client.Fault, match='it takes a call of get_profile'):
        xmlrpc.client.loads(visitor.post('/profiles', call).body)


def test_program_gets_no_session(visitor):
    """The answer to a program that posts without a cookie sets none."""
    call = xmlrpc.client.dumps(('ada',), 'get_profile')
    answer = visitor.post('/profiles', call, content_type='text/xml')
    assert answer.content_type == 'text/xml'
    assert 'Set-Cookie' not in answer.headers


def test_profiles_take_calls_only(visitor):
    """A person's browser is told what this is, and a long body is not read."""
    assert visitor.get('/profiles', status=405).headers['Allow'] == 'POST'
    visitor.post('/profiles', 'x' * (web.MAX_BODY + 1), status=413)


def test_long_profile(directory):
    """A profile server cannot fill the wiki's database."""
    told = {'full_name': 'A' * 5000, 'email': 7, 'more': 'x'}

    def server(environ, start_response):
        start_response('200 OK', [('Content-Type', 'text/xml')])
        return [xmlrpc.client.dumps((told,), methodresponse=True).encode()]

    with listening(server) as port:
        site = Site(directory, port)
        visitor = site.visitor()
        visitor.log_in('ada')
        visitor.get('/wiki')
    assert site.rows('wiki', 'SELECT * FROM member') == [('ada', 'A' * 200, '7', '')]


# -- store -------------------------------------------------------------------


def test_failed_transaction(tmp_path):
    """After an exception nothing of it is kept."""
    database = store.Database(str(tmp_path / 'new/a.sqlite'), 'CREATE TABLE t (x)')
    assert (tmp_path / 'new').stat().st_mode & 0o777 == 0o700
    with pytest.raises(ZeroDivisionError):
        with database.write() as connection:
            connection.execute('INSERT INTO t VALUES (1)')
            raise ZeroDivisionError
    with database.read() as connection:
        assert connection.execute('SELECT * FROM t').fetchall() == []


def test_a_bare_file_name(tmp_path, monkeypatch):
    """It is one in the directory of the process."""
    monkeypatch.chdir(tmp_path)
    store.Database('a.sqlite')
    assert (tmp_path / 'a.sqlite').exists()


def test_many_threads(tmp_path):
    """Threads that write at the same time wait for each other, and lose nothing."""
    database = store.Database(str(tmp_path / 'a.sqlite'), 'CREATE TABLE t (x)')

    def add(number):
        for _ in range(10):
            with database.write() as connection:
                count, = connection.execute('SELECT count(*) FROM t').fetchone()
                connection.execute('INSERT INTO t VALUES (?)', (count,))

    run_together(8, add)
    with database.read() as connection:
        assert [x for x, in connection.execute('SELECT x FROM t ORDER BY x')] == (
            list(range(80)))


# -- paster serve ------------------------------------------------------------


class Server:
    """``paster serve development.ini``, really."""

    def __init__(self, directory, session=''):
        self.port = free_port()
        self.url = f'http://127.0.0.1:{self.port}'
        self.ini = write_ini(directory, self.port, session)
        self.log = directory / 'server.log'

    def __enter__(self):
        paster = Path(sys.executable).with_name('paster')
        if not paster.exists():
            missing('paster is missing: pip install "paste_sessioncookie[paster]"')
        with open(self.log, 'ab') as log:
            self.process = subprocess.Popen(
                [str(paster), 'serve', str(self.ini)], stdout=log, stderr=log,
                # a test run in the background hands down that Ctrl-C is ignored
                preexec_fn=_take_interrupts)
        for _ in range(300):
            if self._answers():
                return self
            time.sleep(0.1)
        self.stop()
        raise AssertionError(self.log.read_text())

    def __exit__(self, *args):
        self.stop()

    def stop(self):
        """Ctrl-C."""
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise

    def _answers(self):
        assert self.process.poll() is None, self.log.read_text()
        try:
            urllib.request.urlopen(f'{self.url}/missing', timeout=5).close()
        except urllib.error.HTTPError as error:
            error.close()
            return True
        except OSError:
            return False


def _take_interrupts():
    signal.signal(signal.SIGINT, signal.default_int_handler)


class Caller:
    """A program with urllib, which keeps the one cookie and follows nothing."""

    class Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *args):
            return None

    def __init__(self, url):
        self.url = url
        self.cookie = ''
        self.opener = urllib.request.build_opener(self.Stay)

    def __call__(self, path, **fields):
        data = urllib.parse.urlencode(fields).encode() if fields else None
        request = urllib.request.Request(self.url + path, data)
        if self.cookie:
            request.add_header('Cookie', self.cookie)
        try:
            answer = self.opener.open(request, timeout=30)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            sent = answer.headers['Set-Cookie']
            if sent:
                self.cookie = sent.split(';')[0]
            return answer.status, answer.read().decode()

    def token(self, path):
        return re.search('name="token" value="([^"]+)"', self(path)[1])[1]


def test_served(directory):
    """paster serves it; Ctrl-C and a new start lose neither session nor login."""
    server = Server(directory)
    with server:
        call = Caller(server.url)
        assert call('/blog/draft', token=call.token('/blog'), text='mine')[0] == 303
        assert call('/accounts/login', token=call.token('/accounts'), name='grace',
                    password=PASSWORDS['grace'])[0] == 303
        assert '>mine</p>' in call('/blog')[1]
        # the wiki calls the server in which it runs
        assert 'Grace Hopper' in call('/wiki')[1]
        state = re.findall('<aside.*?</aside>', call('/blog')[1], re.S)
    cookie = call.cookie
    with server:
        assert re.findall('<aside.*?</aside>', call('/blog')[1], re.S) == state
        assert '>mine</p>' in call('/blog')[1]
        assert '<strong>grace</strong>' in call('/')[1]
        assert call.cookie == cookie
        assert call('/accounts/logout', token=call.token('/accounts'))[0] == 303
        assert '<strong>grace</strong>' not in call('/')[1]
    log = server.log.read_text()
    assert 'Traceback' not in log
    assert cookie.rpartition('.')[2] not in log
    secret = directory / 'session.secret'
    assert secret.stat().st_mode & 0o777 == 0o600
