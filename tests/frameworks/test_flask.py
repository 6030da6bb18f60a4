"""Flask takes its session ID from the site."""
import logging
import os
import pathlib
import re
from datetime import timedelta

import pytest

try:
    import flask_session
    import flask_sqlalchemy
    import flask_wtf
    from cachelib import FileSystemCache, RedisCache, SimpleCache
    from flask import (
        Flask, abort, after_this_request, flash, get_flashed_messages,
        render_template_string, request, session, stream_with_context)
    from flask_session.redis import RedisSessionInterface
    from redis import Redis
except ImportError:
    if 'CI' in os.environ:
        raise
    pytest.skip("needs Flask and what goes with it (pip install -e '.[test]')",
                allow_module_level=True)

from conftest import Visitor
from contract import Contract, read, untouched, write

from paste_sessioncookie import ConfigError
from paste_sessioncookie.frameworks.flask import OPTIONS, SiteSessions, site_control
from paste_sessioncookie.frameworks.flask_client import SiteClient
from paste_sessioncookie.frameworks.flask_session import RedisStore, store_of

ROOT = pathlib.Path(__file__).resolve().parents[2]

# Flask-Session 0.8.0 and Flask-Login 0.6.3, from Python 3.12 on
pytestmark = pytest.mark.filterwarnings(
    r'ignore:datetime\.datetime\.utcnow:DeprecationWarning')


def make_app(cache=None, **config):
    """An application with the extension, and its configuration."""
    app = Flask('weblog')
    app.config.update({'SITE_SESSION_CACHE': cache, **config})
    SiteSessions(app)
    return app


def answering(app, view):
    """Let an application answer each path with a view of the session."""
    @app.route('/', defaults={'path': ''}, methods=['GET', 'POST'])
    @app.route('/<path:path>', methods=['GET', 'POST'])
    def any(path):
        result = view(session)
        if hasattr(result, '__next__'):
            return app.response_class(stream_with_context(result), mimetype='text/plain')
        return app.response_class(str(result), mimetype='text/plain')
    return app


class FlaskContract(Contract):
    """The contract, with ``configure`` to say where sessions are kept."""

    def configure(self):
        """The configuration of the application."""
        raise NotImplementedError

    def application(self, view, carry=()):
        return answering(make_app(**self.configure(), SITE_SESSION_CARRY=carry), view)

    def renew(self, session):
        session.regenerate()

    def test_clearing_is_the_end(self, site):
        """``session.clear()``, by which applications log in and out, ends a
        session, also one that has nothing in it."""
        visitor = Visitor(site(untouched))
        self.ask(visitor, write('color', 'blue'))
        before = str(self.control.id)
        self.ask(visitor, lambda session: session.clear())
        assert self.control.id != before
        assert not self.records()
        cleared = str(self.control.id)

        def log_in(session):
            session.clear()
            session['user_id'] = 'bob'
        self.ask(visitor, log_in)
        assert self.records() == {self.control.id} != {cleared}


class TestSimpleCache(FlaskContract):
    @pytest.fixture(autouse=True)
    def _store(self):
        self.cache = SimpleCache(threshold=100_000)

    def configure(self):
        return {'cache': self.cache}

    def records(self):
        return {key.removeprefix('flask:') for key in self.cache._cache}


class Readable:
    """In place of a hash, so that a test can read the names of files."""

    def __init__(self, key):
        self.key = key

    def hexdigest(self):
        return self.key.decode()


class TestFiles(FlaskContract):
    @pytest.fixture(autouse=True)
    def _store(self, tmp_path):
        self.folder = tmp_path

    def configure(self):
        return {'cache': FileSystemCache(str(self.folder), threshold=100_000,
                                         hash_method=Readable)}

    def records(self):
        return {path.name.removeprefix('flask:') for path in self.folder.glob('flask:*')}


class TestRedis(FlaskContract):
    @pytest.fixture(autouse=True)
    def _store(self, redis_socket):
        self.redis = Redis(unix_socket_path=redis_socket)
        self.redis.flushdb()

    def configure(self):
        return {'cache': RedisCache(self.redis)}

    def records(self):
        return {key.decode().removeprefix('flask:') for key in self.redis.keys()}


class TestFlaskSessionCachelib(TestSimpleCache):
    def configure(self):
        return {'SESSION_TYPE': 'cachelib', 'SESSION_CACHELIB': self.cache,
                'SESSION_KEY_PREFIX': 'flask:'}


@pytest.mark.filterwarnings('ignore:FileSystemSessionInterface is deprecated',
                            "ignore:'SESSION_FILE_:DeprecationWarning")
class TestFlaskSessionFiles(TestFiles):
    def configure(self):
        return {'SESSION_TYPE': 'filesystem', 'SESSION_FILE_DIR': str(self.folder),
                'SESSION_FILE_THRESHOLD': 100_000, 'SESSION_KEY_PREFIX': 'flask:'}

    def application(self, view, carry=()):
        app = super().application(view, carry)
        app.session_interface._store._cache._hash_method = Readable
        return app


class TestFlaskSessionRedis(TestRedis):
    def configure(self):
        return {'SESSION_TYPE': 'redis', 'SESSION_REDIS': self.redis,
                'SESSION_KEY_PREFIX': 'flask:'}

    def test_what_cannot_be_read(self, site, caplog):
        """A session begins anew, and the log says why."""
        visitor = Visitor(site(untouched))
        self.ask(visitor, write('color', 'blue'))
        self.redis.set(*self.redis.keys(), b'no session')
        assert self.ask(visitor, read('color')) == '-'
        assert 'a session cannot be read and begins anew' in caplog.text
        self.ask(visitor, write('color', 'red'))
        assert self.ask(visitor, read('color')) == 'red'


class TestFlaskSessionSQL(FlaskContract):
    @pytest.fixture(autouse=True)
    def _store(self, tmp_path):
        self.file = tmp_path / 'sessions.sqlite'

    def application(self, view, carry=()):
        app = Flask('weblog')
        app.config.update(SQLALCHEMY_DATABASE_URI=f'sqlite:///{self.file}',
                          SESSION_TYPE='sqlalchemy', SITE_SESSION_CARRY=carry)
        app.config['SESSION_SQLALCHEMY'] = self.db = flask_sqlalchemy.SQLAlchemy(app)
        SiteSessions(app)
        self.app = app
        return answering(app, view)

    def records(self):
        with self.app.app_context():
            rows = self.db.session.execute(self.db.text('SELECT session_id FROM sessions'))
            return {each.removeprefix('session:') for each, in rows}

    def test_what_cannot_be_read(self, site, caplog):
        """A session begins anew at once: it is not tried again."""
        visitor = Visitor(site(untouched))
        self.ask(visitor, write('color', 'blue'))
        with self.app.app_context():
            self.db.session.execute(self.db.text("UPDATE sessions SET data = 'none'"))
            self.db.session.commit()
        assert self.ask(visitor, read('color')) == '-'
        assert 'a session cannot be read and begins anew' in caplog.text
        assert 'once more' not in caplog.text

    def test_a_failing_store_tells_no_id(self, site, caplog, monkeypatch):
        """Three tries, and neither the log nor the error has a session ID."""
        monkeypatch.setattr('paste_sessioncookie.frameworks.flask_session.PAUSES', (0, 0))
        visitor = Visitor(site(untouched))
        self.ask(visitor, write('color', 'blue'))
        with self.app.app_context():
            self.db.session.execute(self.db.text('DROP TABLE sessions'))
            self.db.session.commit()
        monkeypatch.setattr(self, 'records', set)
        self.view = read('color')
        assert visitor.get().status_int == 500
        assert caplog.text.count('the store of sessions failed (OperationalError)') == 2
        assert 'no such table: sessions' in caplog.text  # and _quiet looks for the IDs


# -- what a session of Flask is ----------------------------------------------


@pytest.fixture
def cache():
    return SimpleCache(threshold=100_000)


@pytest.fixture
def ask(make_site, cache):
    """Asks an application that does what a test says, as one visitor."""
    def make(**config):
        app = make_app(cache, **config)
        app.testing = True
        answering(app, lambda session: view(session))
        visitor = Visitor(make_site(app))

        def ask(new_view, by=visitor, **environ):
            nonlocal view
            view = new_view
            return by.get(**environ).text
        ask.app, ask.visitor = app, visitor
        return ask
    view = untouched
    return make


def test_mixin(ask):
    """permanent, new, modified, accessed and sid are what Flask's users know."""
    ask = ask()

    def first(session):
        assert not ask.app.session_interface.open_session(ask.app, request).accessed
        assert session.new and not session.permanent and not session.modified
        session.permanent = True
        assert session.modified and session.accessed
        return session.sid

    def second(session):
        assert session.permanent and session['_permanent'] is True
        assert not session.new and not session.modified
        return session.sid
    assert ask(first) == ask(second)


def test_a_nested_change_has_to_be_said(ask):
    """As with Flask's own session."""
    ask = ask()
    ask(write('basket', []))
    ask(lambda session: session['basket'].append('books'))
    assert ask(read('basket')) == '[]'

    def say(session):
        session['basket'].append('books')
        session.modified = True
    ask(say)
    assert ask(read('basket')) == "['books']"


def test_flashes(ask):
    """Flask's own use of the session works."""
    ask = ask()
    ask(lambda session: flash('saved'))
    assert ask(lambda session: get_flashed_messages()) == "['saved']"
    assert ask(lambda session: get_flashed_messages()) == '[]'


def test_csrf_of_flask_wtf(make_site, cache):
    """A form that was shown can be sent, and no other."""
    app = make_app(cache, SECRET_KEY='for the tokens of forms', WTF_CSRF_SSL_STRICT=False)
    flask_wtf.CSRFProtect(app)
    answering(app, lambda session: render_template_string('{{ csrf_token() }}'))
    visitor = Visitor(make_site(app))
    token = visitor.get().text
    assert visitor.post(headers={'X-CSRFToken': token}).status_int == 200
    stranger = Visitor(visitor.app)
    stranger.get()
    assert stranger.post(headers={'X-CSRFToken': token}).status_int == 400


def test_before_and_after_request(ask):
    """What the functions around a view put into the session is kept, also when
    there is no view."""
    ask = ask()

    @ask.app.before_request
    def early():
        session['early'] = 'yes'
        if 'stop' in request.args:
            return 'stopped'

    @ask.app.after_request
    def late(response):
        session['late'] = 'yes'
        return response

    def view(session):
        @after_this_request
        def later(response):
            session['later'] = 'yes'
            return response
    assert ask(untouched, QUERY_STRING='stop') == 'stopped'
    assert ask(lambda session: sorted(session)) == "['early', 'late']"
    ask(view)
    assert ask(lambda session: sorted(session)) == "['early', 'late', 'later']"


def test_an_error_that_is_handled_keeps_the_session(make_site, cache):
    """As with Flask's own session."""
    app = answering(make_app(cache), lambda session: view(session))

    @app.errorhandler(404)
    @app.errorhandler(ZeroDivisionError)
    def handler(error):
        session['errors'] = session.get('errors', 0) + 1
        return 'handled'

    for view in (lambda session: abort(404), lambda session: 1 / 0):
        visitor = Visitor(make_site(app))
        assert visitor.get().text == 'handled'
        view = read('errors')
        assert visitor.get().text == '1'


def test_an_error_for_the_server_keeps_nothing(ask, cache):
    """An exception that leaves Flask leaves no session."""
    ask = ask(PROPAGATE_EXCEPTIONS=True)

    def view(session):
        session['color'] = 'blue'
        raise ZeroDivisionError
    with pytest.raises(ZeroDivisionError):
        ask(view)
    assert not cache._cache


def test_a_change_in_a_stream(ask, caplog):
    """It comes too late, as with Flask's own session; the log has it."""
    ask = ask()

    def view(session):
        session['color'] = 'blue'

        def body():
            yield 'one'
            session['color'] = 'red'
        return body()
    assert ask(view) == 'one'
    assert 'changed after the response had started' in caplog.text
    assert ask(read('color')) == 'blue'


def test_reading_in_a_stream(ask, caplog):
    """A session that is first read in a stream is there, and nothing is said."""
    ask = ask()
    ask(write('color', 'blue'))

    def view(other):
        def body():
            yield session['color']
        return body()
    assert ask(view) == 'blue'
    assert not [each for each in caplog.records if each.levelno >= logging.WARNING]


def test_renewing_on_the_interface(ask, cache):
    """Flask-Session's way to renew a session."""
    ask = ask()
    before = ask(lambda session: session.update(color='blue') or session.sid)
    ask(lambda session: ask.app.session_interface.regenerate(session))
    after = ask(lambda session: session.sid)
    assert before != after
    assert set(cache._cache) == {'flask:' + after}


def test_another_application_inside(make_site, cache):
    """Two applications in one request have a session each."""
    inner = answering(make_app(SimpleCache(threshold=100_000)), write('color', 'red'))
    outer = answering(make_app(cache), lambda session: view(session))

    def ask_the_other(session):
        session['color'] = 'blue'
        inner.test_client().get('/')
        return session['color']
    view = ask_the_other
    visitor = Visitor(make_site(outer))
    assert visitor.get().text == 'blue'
    view = read('color')
    assert visitor.get().text == 'blue'


def test_the_control(make_site, cache):
    """An application without Flask-Login logs in by the control."""
    app = answering(make_app(cache), lambda session: view(session))
    visitor = Visitor(make_site(app))

    def log_in(session):
        site_control.login('bob', tokens=('staff',))

    def who(session):
        return f'{site_control.identity.user} {site_control.identity.tokens}'
    view = log_in
    visitor.get()
    view = who
    assert visitor.get().text == "bob ('staff',)"


def test_no_filter(cache, caplog):
    """A test context alone has a session, which nobody will see again."""
    app = make_app(cache)
    with app.test_request_context():
        session['color'] = 'blue'
        assert session['color'] == 'blue'
    assert 'after the response' not in caplog.text
    assert not cache._cache


# -- how long ----------------------------------------------------------------


def seconds_left(redis):
    name, = redis.keys()
    return redis.ttl(name)


@pytest.fixture
def redis(redis_socket):
    client = Redis(unix_socket_path=redis_socket)
    client.flushdb()
    return client


@pytest.mark.parametrize('lifetime, seconds', [
    (timedelta(days=31), 12 * 3600), (timedelta(minutes=15), 900), (600, 600)])
def test_how_long(ask, redis, lifetime, seconds):
    """A session lasts as long as its ID can, or as Flask says if that is less."""
    ask = ask(SITE_SESSION_CACHE=RedisCache(redis), PERMANENT_SESSION_LIFETIME=lifetime)
    ask(write('color', 'blue'))
    assert seconds - 10 < seconds_left(redis) <= seconds


@pytest.mark.parametrize('permanent, refresh, longer', [
    (True, True, True), (False, True, False), (True, False, False)])
def test_reading_a_permanent_session(ask, redis, permanent, refresh, longer):
    """It lasts anew, unless SESSION_REFRESH_EACH_REQUEST says otherwise."""
    ask = ask(SITE_SESSION_CACHE=RedisCache(redis), PERMANENT_SESSION_LIFETIME=900,
              SESSION_REFRESH_EACH_REQUEST=refresh)

    def begin(session):
        session.permanent = permanent
    ask(begin)
    name, = redis.keys()
    redis.expire(name, 100)
    ask(read('color'))
    assert (seconds_left(redis) > 800) is longer
    redis.expire(name, 100)
    ask(untouched)
    assert seconds_left(redis) <= 100


def test_lasting_anew_undoes_nothing(ask, redis):
    """A session that lasts anew is the one that is there, not the one that was read."""
    ask = ask(SITE_SESSION_CACHE=RedisCache(redis), PERMANENT_SESSION_LIFETIME=900)
    ask(lambda session: session.update(color='blue', _permanent=True))
    other = Visitor(ask.visitor.app)
    other.cookie = ask.visitor.cookie

    def slow(session):
        assert session['color'] == 'blue'
        ask(write('color', 'red'), by=other)
    ask(slow)
    assert ask(read('color')) == 'red'


def test_all_are_permanent_in_flask_session(make_site, redis):
    """Its SESSION_PERMANENT is true unless it is set."""
    app = answering(make_app(SESSION_TYPE='redis', SESSION_REDIS=redis,
                             PERMANENT_SESSION_LIFETIME=900), lambda session: view(session))
    visitor = Visitor(make_site(app))
    view = read('color')
    visitor.get()
    assert not redis.keys()
    view = write('color', 'blue')
    visitor.get()
    redis.expire(*redis.keys(), 100)
    view = read('color')
    visitor.get()
    assert seconds_left(redis) > 800


# -- configuration -----------------------------------------------------------


def faults(**config):
    with pytest.raises(ConfigError) as caught:
        make_app(**config)
    assert str(caught.value).startswith('SiteSessions of the Flask application weblog')
    return list(caught.value.faults)


def test_the_options_of_the_manual():
    """The table has those that there are, in their order, with their defaults."""
    page = (ROOT / 'docs' / 'howto' / 'flask.rst').read_text()
    rows = re.findall(r'^``(SITE_SESSION_\w+)``  +(\S+)  ', page, re.MULTILINE)
    assert [name for name, _ in rows] == list(OPTIONS)
    assert [default in ('none', 'required') for _, default in rows] == [
        OPTIONS[name] in (None, ()) for name, _ in rows]
    assert {str(OPTIONS[name]) for name, default in rows if default.startswith('`')} == {
        default.strip('`') for _, default in rows if default.startswith('`')}


@pytest.mark.parametrize('name', ['SITE_SESION_CARRY', 'SITE_SESSIONS_CARRY'])
def test_a_mistyped_name(name):
    """Whoever misspells what all names begin with hears of it as well."""
    found, = faults(cache=SimpleCache(100_000), **{name: 'basket'})
    assert found == f'{name}: there is no such option; did you mean SITE_SESSION_CARRY?'


def test_names_of_somebody_else(cache):
    """An application has options of its own."""
    make_app(cache, SITE_NAME='Books', SITE_SESSIONS=5, CARRY='basket')


def test_all_faults_at_once():
    """Each names the option and says what is accepted."""
    found = faults(
        cache='sessions', SITE_SESSION_CARY='basket', SITE_SESSION_COLOR='blue',
        SITE_SESSION_CARRY='basket csrf_token', SITE_SESSION_PUBLISH='perhaps',
        SITE_SESSION_MAKE_USER='me')
    assert [fault.partition(';')[0] for fault in found] == [
        'SITE_SESSION_CARY: there is no such option',
        'SITE_SESSION_COLOR: there is no such option',
        'SITE_SESSION_CARRY: csrf_token: such a key may say who somebody is, or prove it, or '
        "is the framework's own",
        "SITE_SESSION_PUBLISH = 'perhaps': it takes True, False or a function",
        'SITE_SESSION_MAKE_USER: it takes a function of an identity and a profile',
        'SITE_SESSION_MAKE_USER: nobody calls it without SITE_SESSION_RECEIVE',
        'SITE_SESSION_CACHE: a str is none',
    ]
    assert 'did you mean SITE_SESSION_CARRY?' in found[0]


@pytest.mark.parametrize('config, fault', [
    ({}, 'SITE_SESSION_CACHE: missing; it takes a cache of cachelib'),
    ({'PERMANENT_SESSION_LIFETIME': 0}, 'PERMANENT_SESSION_LIFETIME = 0: it takes'),
    ({'PERMANENT_SESSION_LIFETIME': '900'}, "PERMANENT_SESSION_LIFETIME = '900': it takes"),
    ({'SESSION_TYPE': 'cachelib', 'cache': SimpleCache()}, 'SITE_SESSION_CACHE: SESSION_TYPE'),
    ({'cache': SimpleCache(100_000), 'SITE_SESSION_CARRY': 5},
     'SITE_SESSION_CARRY = 5: it takes names'),
    ({'SESSION_TYPE': 'floppy'}, 'SESSION_TYPE: Unrecognized value'),
    ({'SESSION_TYPE': 'cachelib', 'SESSION_CACHELIB': 'sessions'},
     'SESSION_CACHELIB: a str is none'),
    ({'cache': SimpleCache(100_000), 'SITE_SESSION_RECEIVE': 'true'},
     'SITE_SESSION_PUBLISH, SITE_SESSION_RECEIVE: they are for Flask-Login'),
])
def test_faults(config, fault):
    found, = faults(**config)
    assert found.startswith(fault)


def test_flask_session_that_is_not_installed(monkeypatch):
    monkeypatch.setattr('importlib.util.find_spec', lambda name: None)
    found, = faults(SESSION_TYPE='redis')
    assert 'pip install Flask-Session' in found


@pytest.mark.parametrize('name', [
    '_user_id', '_fresh', '_id', '_flashes', '_permanent', 'csrf_token', 'user_id', 'next',
    '_state_google_xyz', 'fs_paa', 'identity.id', 'google_oauth_token',
    'github_oauth_state', '_site_user', 'mine'])
def test_keys_that_are_not_carried(name):
    """Nothing goes along that says who somebody is or where a form came from."""
    found, = faults(cache=SimpleCache(100_000), SITE_SESSION_CARRY=['basket', name],
                    WTF_CSRF_FIELD_NAME='mine')
    assert found.startswith(f'SITE_SESSION_CARRY: {name}: ')


def test_settings_of_a_cookie_that_is_not_sent(cache, caplog):
    """Who sets them hears that they say nothing."""
    make_app(cache, SESSION_COOKIE_NAME='weblog', SESSION_COOKIE_SECURE=True,
             SESSION_USE_SIGNER=True)
    assert ('the Flask application weblog: SESSION_COOKIE_NAME, SESSION_COOKIE_SECURE, '
            'SESSION_USE_SIGNER: not used' in caplog.text)


def test_usual_settings_are_no_matter(cache, caplog):
    make_app(cache)
    assert not caplog.records


def test_an_interface_made_from_that_for_redis(redis):
    """Is one for Redis, with its one step."""
    app = Flask('weblog')
    app.session_interface = type('Own', (RedisSessionInterface,), {})(app, redis)
    store, _ = store_of(app, 60)
    assert type(store) is RedisStore


@pytest.mark.parametrize('by_class', [True, False])
def test_after_flask_session(redis, make_site, by_class):
    """An application that has called Flask-Session already keeps its store."""
    app = Flask('weblog')
    app.config.update(SESSION_TYPE='redis', SESSION_REDIS=redis)
    flask_session.Session(app)
    if by_class:  # an interface of the application's own, of no SESSION_TYPE
        del app.config['SESSION_TYPE']
    SiteSessions().init_app(app)
    visitor = Visitor(make_site(answering(app, write('color', 'blue'))))
    visitor.get()
    assert len(visitor.set_cookies) == 1
    assert len(redis.keys('session:*')) == 1


def test_no_flask_login(cache, make_site, monkeypatch):
    """The extension does without it."""
    find_spec = __import__('importlib').util.find_spec
    monkeypatch.setattr('importlib.util.find_spec',
                        lambda name: None if name == 'flask_login' else find_spec(name))
    app = make_app(cache)
    assert 'site_login' not in app.extensions
    assert Visitor(make_site(answering(app, untouched))).get().text == 'ok'


# -- tests of applications ---------------------------------------------------


@pytest.fixture
def app(cache):
    app = make_app(cache)
    app.test_client_class = SiteClient

    @app.route('/color', methods=['GET', 'POST'])
    def color():
        if request.method == 'POST':
            session['color'] = request.form['color']
        return session.get('color', '-')

    @app.route('/who')
    def who():
        identity = site_control.identity
        return 'nobody' if identity is None else f'{identity.user} {identity.tokens}'
    return app


def test_client(app):
    """A test client has sessions, also when it begins with a POST."""
    client, other = app.test_client(), app.test_client()
    assert client.post('/color', data={'color': 'blue'}).text == 'blue'
    assert client.get('/color').text == 'blue'
    assert other.get('/color').text == '-'


@pytest.mark.parametrize('server_name', [None, 'example.org:8080'])
def test_client_of_a_user(app, server_name):
    """... and can be somebody's."""
    assert app.test_client().get('/who').text == 'nobody'
    app.config['SERVER_NAME'] = server_name
    client = app.test_client(site_user='bob', site_tokens=('staff',))
    assert client.get('/who').text == "bob ('staff',)"


def test_session_transaction(app):
    """Flask's way to look into a session, and to prepare one."""
    client = app.test_client()
    with client.session_transaction() as prepared:
        prepared['color'] = 'blue'
    assert client.get('/color').text == 'blue'
    client.post('/color', data={'color': 'red'})
    with client.session_transaction('/elsewhere', method='POST') as seen:
        assert seen['color'] == 'red'
        del seen['color']
    assert client.get('/color').text == '-'


def test_session_transaction_that_clears(app, cache):
    """What ends a session there has ended it."""
    client = app.test_client()
    client.post('/color', data={'color': 'blue'})
    with client.session_transaction() as cleared:
        cleared.clear()
        cleared['size'] = 'small'
    assert client.get('/color').text == '-'
    with client.session_transaction() as seen:
        assert dict(seen) == {'size': 'small'}
    assert len(cache._cache) == 1


def test_client_keeps_the_context(app):
    """``with client:`` shows the session of the last request."""
    with app.test_client() as client:
        client.post('/color', data={'color': 'blue'})
        assert session['color'] == 'blue'


def test_test_context_of_a_client(app):
    """A context around the client does not disturb."""
    client = app.test_client()
    with app.app_context():
        assert client.post('/color', data={'color': 'blue'}).text == 'blue'
        with app.test_request_context():
            assert 'color' not in session
        assert client.get('/color').text == 'blue'
