"""Beaker, and Bottle over it, take their session ID from the site."""
import dbm
import os
import pickle
import shutil
import threading
import time
from pathlib import Path

import pytest
from conftest import Visitor
from contract import Contract, read, untouched, write
from paste.deploy import loadapp, loadfilter
from paste.registry import Registry, RegistryManager
from webtest import TestApp

from paste_sessioncookie import ConfigError

if 'CI' not in os.environ:
    for module in ('beaker', 'bottle', 'cryptography', 'redis', 'sqlalchemy'):
        pytest.importorskip(module, reason='needs pip install paste_sessioncookie[test]')

import beaker.crypto
import bottle
import redis
import sqlalchemy
from beaker.container import MemoryNamespaceManager
from beaker.crypto import noencryption
from beaker.ext.database import DatabaseNamespaceManager
from beaker.session import Session

from paste_sessioncookie.frameworks.beaker import SessionMiddleware


EXAMPLES = Path(__file__).parents[2] / 'docs' / 'examples' / 'beaker'


@pytest.fixture(autouse=True)
def _connections():
    """Beaker keeps an engine for each database until the process ends."""
    yield
    for engine in DatabaseNamespaceManager.binds.dict.values():
        engine.dispose()


class BeakerContract(Contract):
    """``session.auto``, so that the views of the contract need no ``save()``."""

    auto = True

    def options(self):
        """The store of this test."""
        raise NotImplementedError

    def application(self, view, carry=()):
        def app(environ, start_response):
            result = view(environ['beaker.session'])
            start_response('200 OK', [('Content-Type', 'text/plain')])
            return result if hasattr(result, '__next__') else [str(result).encode()]
        return SessionMiddleware(app, carry=carry, auto=self.auto, **self.options())

    def renew(self, session):
        session.regenerate_id()


class TestMemory(BeakerContract):
    @pytest.fixture(autouse=True)
    def _store(self, monkeypatch):
        monkeypatch.setattr(MemoryNamespaceManager, 'namespaces',
                            type(MemoryNamespaceManager.namespaces)())

    def options(self):
        return {'type': 'memory'}

    def records(self):
        found = MemoryNamespaceManager.namespaces.dict
        return {name for name, data in found.items() if 'session' in data}


class LikeMemcached(MemoryNamespaceManager):
    """A store that has None for what it does not have, and whose ``remove()``
    removes what is everybody's."""

    def __getitem__(self, key):
        return self.dictionary.get(key)

    def do_remove(self):
        raise AssertionError('the sessions of all visitors would be gone')


class TestLikeMemcached(TestMemory):
    def options(self):
        return {'namespace_class': LikeMemcached}


class TestFile(BeakerContract):
    @pytest.fixture(autouse=True)
    def _store(self, tmp_path):
        self.folder = tmp_path

    def options(self):
        return {'type': 'file', 'data_dir': str(self.folder)}

    def records(self):
        return {path.stem for path in self.folder.rglob('*.cache')}


class TestDBM(TestFile):
    """This store makes an empty file for every session that is looked at."""

    def options(self):
        return {'type': 'dbm', 'data_dir': str(self.folder)}

    def records(self):
        # what each module for dbm puts behind the name
        files = {str(path).partition('.dbm')[0] for path in self.folder.rglob('*.dbm*')}
        found = set()
        for name in files:
            if dbm.whichdb(f'{name}.dbm'):  # Beaker leaves a .bak without data
                with dbm.open(f'{name}.dbm') as file:
                    found.update([Path(name).name] if b'session' in file.keys() else [])
        return found


class TestRedis(BeakerContract):
    @pytest.fixture(autouse=True)
    def _store(self, redis_socket):
        self.url = f'unix://{redis_socket}'
        self.client = redis.Redis.from_url(self.url)
        self.client.flushdb()
        yield
        self.client.close()

    def options(self):
        return {'type': 'ext:redis', 'url': self.url}

    def records(self):
        return {key.decode().split(':')[1] for key in self.client.keys('beaker_cache:*')}

    def test_expires(self, make_site):
        """Redis forgets a session two minutes after its ``timeout``, as with Beaker."""
        self.view = write('color', 'blue')
        app = self.application(self._call_view)
        app.options['timeout'] = 600
        visitor = Visitor(make_site(app))
        for _ in range(2):
            visitor.get()
            key, = self.client.keys('beaker_cache:*')
            assert 600 < self.client.ttl(key) <= 720

    def test_expires_with_the_cookie(self, site):
        """Without a ``timeout``, when no cookie can have its ID any more."""
        visitor = Visitor(site(untouched, lifetime=120))
        for _ in range(2):
            self.ask(visitor, write('color', 'blue'))
            key, = self.client.keys('beaker_cache:*')
            assert 7100 < self.client.ttl(key) <= 7200


class TestDatabase(BeakerContract):
    @pytest.fixture(autouse=True)
    def _store(self, tmp_path):
        self.url = f'sqlite:///{tmp_path}/sessions.db'

    def options(self):
        return {'type': 'ext:database', 'url': self.url}

    def records(self):
        with DatabaseNamespaceManager.binds.dict[self.url].connect() as connection:
            rows = connection.execute(sqlalchemy.text('select namespace from beaker_cache'))
            return {row[0] for row in rows}


class TestBottle(TestFile):
    def application(self, view, carry=()):
        app = bottle.Bottle()

        @app.route('/')
        def index():
            bottle.response.content_type = 'text/plain'
            return view(bottle.request.environ['beaker.session'])
        return SessionMiddleware(
            app, {f'session.{name}': value for name, value in self.options().items()}
            | {'session.auto': True, 'session.carry': carry})


class Reversed:
    """A serializer."""

    def dumps(self, data):
        return pickle.dumps(data)[::-1]

    def loads(self, text):
        return pickle.loads(text[::-1])


class TestSession:
    """Beaker's own interface, without ``session.auto``."""

    @pytest.fixture(params=['memory', 'file', 'dbm', 'ext:redis', 'ext:database'])
    def store(self, request, tmp_path):
        """The options of each store."""
        if request.param == 'ext:redis':
            socket = request.getfixturevalue('redis_socket')
            return {'type': request.param, 'url': f'unix://{socket}'}
        if request.param == 'ext:database':
            return {'type': request.param, 'url': f'sqlite:///{tmp_path}/sessions.db'}
        return {'type': request.param, 'data_dir': str(tmp_path)}

    @pytest.fixture
    def files(self, tmp_path):
        """The options of the store of files."""
        return {'type': 'file', 'data_dir': str(tmp_path)}

    @pytest.fixture
    def visit(self, make_site):
        """Somebody at a site with these options, who does something with the session."""
        def make(options):
            def app(environ, start_response):
                self.control = environ['session.control']
                self.result = self.act(environ['beaker.session'])
                start_response('200 OK', [('Content-Type', 'text/plain')])
                return [b'ok']
            site = make_site(SessionMiddleware(app, **options))
            visitor = Visitor(site)

            def ask(act, visitor=visitor):
                self.act = act
                assert visitor.get().status_int == 200
                return self.result
            ask.site, ask.visitor = site, visitor
            return ask
        return make

    def test_what_is_not_saved_is_not_kept(self, visit, store):
        """As with Beaker: save() or auto."""
        ask = visit(store)
        ask(write('color', 'blue'))
        assert ask(read('color')) == '-'
        ask(saved(write('color', 'blue')))
        ask(write('color', 'red'))
        assert ask(read('color')) == 'blue'

    def test_attributes(self, visit, store):
        """Those of Beaker's sessions are there, and the ID is the site's."""
        ask = visit(store)
        before = time.time()

        def first(session):
            assert not session.accessed()
            assert session.is_new and session.last_accessed is None
            assert session.id == self.control.id and session.accessed()
            saved(write('color', 'blue'))(session)
        ask(first)

        def second(session):
            assert not session.is_new
            assert before <= session['_creation_time'] == session.created
            assert session.created <= session.last_accessed <= session['_accessed_time']
            assert (session['_path'], session['_domain']) == ('/', None)
            session.path, session.domain = '/shop', 'example.org'
            assert dict(session) == session._session()
        ask(second)

    def test_the_id_is_not_set(self, visit, files):
        """Only the site gives IDs."""
        def act(session):
            session.id = self.control.id
            with pytest.raises(AttributeError, match=r'regenerate_id\(\)'):
                session.id = 'a' * 40
        visit(files)(act)

    def test_revert(self, visit, files):
        """The session as it was at the beginning of the request."""
        ask = visit(files)
        ask(saved(write('color', 'blue')))

        def act(session):
            session['color'] = 'red'
            session.revert()
            return session['color']
        assert ask(act) == 'blue'

    @pytest.mark.parametrize('end', ['delete', 'invalidate'])
    def test_ended_and_saved(self, visit, store, end):
        """save() after the end begins no session."""
        ask = visit(store)
        ask(saved(write('color', 'blue')))
        old = str(self.control.id)

        def act(session):
            getattr(session, end)()
            session.save()
            assert session.was_invalidated
        ask(act)
        assert ask(by_id(old)) is None
        assert ask(by_id(self.control.id)) is None

    @pytest.mark.parametrize('access', [True, False])
    def test_renewed_and_not_saved(self, visit, store, access):
        """A new ID takes what was stored along, though nobody saves, and no more."""
        ask = visit({**store, 'save_accessed_time': access})
        ask(saved(write('color', 'blue')))
        old = str(self.control.id)

        def act(session):
            session['color'] = 'red'
            session.regenerate_id()
        ask(act)
        assert ask(read('color')) == 'blue'
        assert ask(by_id(old)) is None

    @pytest.mark.parametrize('next_door', [True, False])
    def test_carried_and_not_saved(self, visit, store, next_door):
        """What goes along into a login is stored, though nobody saves."""
        ask = visit({**store, 'carry': 'basket'})
        ask(saved(write('basket', 'books')))

        def log_in(session):
            if not next_door:
                assert session['basket'] == 'books'
            self.control.login('bob')
        ask(log_in)
        for _ in range(2):
            assert ask(read('basket')) == 'books'

    def test_ended_though_the_view_fails(self, visit, store):
        """The record goes at once, not with the response."""
        ask = visit(store)
        ask(saved(write('color', 'blue')))

        def act(session):
            session.invalidate()
            raise ZeroDivisionError('as the test wants it')
        with pytest.raises(ZeroDivisionError):
            ask(act)
        assert ask(read('color')) == '-'

    def test_idle(self, visit, store, monkeypatch):
        """After ``timeout`` seconds without a request, nothing is there."""
        ask = visit({**store, 'timeout': '600'})
        ask(saved(write('color', 'blue')))
        start, session_id = time.time(), self.control.id
        for later, expected in ((500, 'blue'), (1000, 'blue'), (1601, '-'), (1602, '-')):
            monkeypatch.setattr(time, 'time', lambda later=later: start + later)
            assert ask(read('color')) == expected
        assert self.control.id == session_id
        ask(saved(write('size', 'small')))
        assert ask(read('color')) == '-'
        assert ask(read('size')) == 'small'

    def test_no_access_time(self, visit, files, monkeypatch):
        """save_accessed_time = false: a request that only reads writes nothing."""
        ask = visit({**files, 'save_accessed_time': 'false'})
        ask(saved(write('color', 'blue')))
        before = ask(by_id(self.control.id)).last_accessed
        ask(read('color'))
        assert ask(by_id(self.control.id)).last_accessed == before

    def test_a_reader_loses_nothing_of_a_writer(self, visit, store):
        """What another request saved meanwhile stays, and so does the time of access."""
        ask = visit(store)
        ask(saved(write('color', 'blue')))
        first = ask(by_id(self.control.id)).last_accessed

        def slow(session):
            assert session['color'] == 'blue'
            ask(saved(write('color', 'red')))
            self.result = None
        ask(slow)
        assert ask(read('color')) == 'red'
        assert ask(by_id(self.control.id)).last_accessed > first

    def test_what_is_carried_replaces_nothing(self, visit, store):
        """A reader's basket of before a login makes way for what another tab saved since."""
        ask = visit({**store, 'carry': 'basket'})
        ask(saved(write('basket', 'books')))
        ask(lambda session: self.control.login('bob'))

        def slow(session):
            assert session['basket'] == 'books'
            ask(saved(write('basket', 'songs')), another_tab(ask))
        ask(slow)
        assert ask(read('basket')) == 'songs'

    def test_begun_and_ended_in_between(self, visit, store):
        """A session that was saved in this request, and then ended by another, stays ended."""
        ask = visit(store)
        ask(read('color'))
        session_id = self.control.id

        def slow(session):
            session['color'] = 'blue'
            session._session().save()
            ask(ended)
            session.save()
        ask(slow)
        assert ask(by_id(session_id)) is None

    def test_ended_while_it_is_written(self, visit):
        """In memory, too, nothing comes between looking for a record and writing it."""
        arrived, threads = threading.Event(), []

        class Lock:
            def __init__(self, lock):
                self.lock, self.release = lock, lock.release

            def acquire(self):
                if not self.lock.acquire(wait=False):
                    arrived.set()
                    self.lock.acquire()

        class Slow(MemoryNamespaceManager):
            def get_creation_lock(self, key):
                return Lock(super().get_creation_lock(key))

            def __contains__(self, key):
                found = super().__contains__(key)
                if not threads:
                    threads.append(threading.Thread(target=ask, args=(ended,)))
                    threads[0].start()
                    assert arrived.wait(30)
                return found

            def __delitem__(self, key):
                super().__delitem__(key)
                arrived.set()  # too early, if nothing is locked
        ask = visit({'namespace_class': Slow})
        ask(saved(write('color', 'blue')))
        session_id = str(self.control.id)
        ask(saved(write('color', 'red')))
        threads[0].join()
        assert ask(by_id(session_id)) is None

    def test_an_error_in_what_is_saved(self, visit, files):
        """What cannot be pickled leaves the session as it was."""
        ask = visit(files)
        ask(saved(write('color', 'blue')))
        with pytest.raises((AttributeError, pickle.PicklingError)):
            ask(saved(write('color', lambda: 'red')))
        assert ask(read('color')) == 'blue'

    def test_lock(self, visit, store):
        """Under lock(), save() is of the same view of the store."""
        ask = visit(store)
        ask(saved(write('color', 'blue')))

        def act(session):
            session.lock()
            try:
                session['color'] = 'red'
                session._session().save()
            finally:
                session.unlock()
        ask(act)
        assert ask(read('color')) == 'red'

    def test_lock_and_another_tab(self, visit, store):
        """Under lock(), too, a new ID takes nothing of a session that has ended along."""
        ask = visit(store)
        ask(saved(write('color', 'blue')))

        def act(session):
            assert session['color'] == 'blue'
            ask(ended, another_tab(ask))
            session.lock()
            session.regenerate_id()
            session.unlock()
            session.save()
        ask(act)
        assert ask(read('color')) == '-'

    def test_a_slow_renewal_of_a_session_in_use(self, visit, store, monkeypatch):
        """What was in use when a request came is not idle when it gives a new ID."""
        ask = visit({**store, 'timeout': '600'})
        ask(saved(write('color', 'blue')))
        start = time.time()

        def act(session):
            monkeypatch.setattr(time, 'time', lambda: start + 500)
            assert session['color'] == 'blue'
            monkeypatch.setattr(time, 'time', lambda: start + 700)
            session.regenerate_id()
            session.save()
        ask(act)
        assert ask(read('color')) == 'blue'

    def test_lock_and_new_id(self, visit, files):
        """lock() goes along to a new ID: nobody waits for the old one for ever."""
        ask = visit(files)
        ask(saved(write('color', 'blue')))
        old = another_tab(ask)

        def act(session):
            session.lock()
            session._session().save()
            session.regenerate_id()
            session._session().save()
            reader = threading.Thread(target=ask, args=(read('color'), old), daemon=True)
            reader.start()
            reader.join(30)
            assert not reader.is_alive()
            session.unlock()
        ask(act)
        assert ask(read('color')) == 'blue'

    @pytest.mark.parametrize('store', ['file', 'dbm'], indirect=True)
    def test_unreadable(self, visit, store, tmp_path, caplog):
        """A session that cannot be read begins anew, under its ID, which nobody is told."""
        ask = visit(store)
        ask(saved(write('color', 'blue')))
        session_id = str(self.control.id)
        for path in tmp_path.rglob(f'{session_id}.*'):
            path.write_bytes(b'?')
        assert ask(read('color')) == '-'
        assert self.control.id == session_id not in caplog.text
        assert 'a session cannot be read and begins anew: ' in caplog.text
        ask(saved(write('size', 'small')))
        assert ask(read('size')) == 'small'

    def test_unreadable_is_an_error(self, visit, files, tmp_path):
        """invalidate_corrupt = false: it is an error, as with Beaker."""
        ask = visit({**files, 'invalidate_corrupt': 'false'})
        ask(saved(write('color', 'blue')))
        path, = tmp_path.rglob(f'{self.control.id}.cache')
        path.write_bytes(b'?')
        with pytest.raises(pickle.UnpicklingError):
            ask(read('color'))

    def test_a_store_that_is_away(self, visit, tmp_path):
        """A store that cannot be reached is an error, not an empty session."""
        ask = visit({'type': 'ext:redis', 'url': f'unix://{tmp_path}/no.socket'})
        with pytest.raises(redis.ConnectionError):
            ask(read('color'))

    def test_another_session(self, visit, store):
        """beaker.get_session and get_by_id() have nothing to do with the visitor's."""
        ask = visit(store)
        ask(saved(write('color', 'blue')))
        session_id = str(self.control.id)

        def act(session):
            get_session = session.__dict__['_environ']['beaker.get_session']
            assert get_session(session_id)['color'] == 'blue'
            assert session.get_by_id('f' * 40) is None
            return get_session().id
        assert ask(act) != session_id
        assert self.control.id == session_id

    @pytest.mark.parametrize('options', [
        {'data_serializer': 'json'}, {'data_serializer': Reversed()},
        {'encrypt_key': 'x' * 32, 'validate_key': 'y' * 32}],
        ids=['json', 'own', 'encrypted'])
    def test_serializers(self, visit, files, options, tmp_path):
        """Beaker's ways of writing a session down."""
        ask = visit({**files, **options})
        ask(saved(write('color', 'blue')))
        ask(read('color'))
        assert ask(read('color')) == 'blue'
        path, = tmp_path.rglob(f'{self.control.id}.cache')
        assert b'blue' not in path.read_bytes()

    def test_another_key(self, visit, files, caplog):
        """What was encrypted with another key cannot be read."""
        options = {**files, 'validate_key': 'y' * 32}
        ask = visit({**options, 'encrypt_key': 'x' * 32})
        ask(saved(write('color', 'blue')))
        other = visit({**options, 'encrypt_key': 'z' * 32})
        other.visitor.cookie = ask.visitor.cookie
        assert other(read('color')) == '-'
        assert 'cannot be read' in caplog.text


class TestMiddleware:
    """What the middleware puts into environ, as Beaker's does."""

    def test_environ_key(self, make_site, probe):
        """The session is under the key that is configured."""
        Visitor(make_site(SessionMiddleware(probe, environ_key='session.of.beaker'))).get()
        assert probe.environ['session.of.beaker'].id == probe.id

    def test_registry(self, make_site, probe):
        """Paste's registry has the session for the time of a request."""
        def act(environ):
            return SessionMiddleware.session.id
        probe.act = act
        Visitor(make_site(RegistryManager(SessionMiddleware(probe)))).get()
        assert probe.result == probe.id

    def test_an_empty_registry(self, make_site, probe):
        """A registry that no RegistryManager has opened is left alone."""
        Visitor(make_site(SessionMiddleware(probe))).get(**{'paste.registry': Registry()})
        assert probe.environ['beaker.session'].id == probe.id

    def test_testing_variables(self, make_site, probe):
        """WebTest finds the session under the name that is configured."""
        app = TestApp(make_site(SessionMiddleware(probe, webtest_varname='session')))
        assert app.get('/').session.id == probe.id


class TestExamples:
    """The ini files of the page serve what it says."""

    @pytest.fixture
    def site(self, tmp_path, monkeypatch):
        """Loads an ini file of the example, in a copy of its folder."""
        folder = shutil.copytree(EXAMPLES, tmp_path / 'site')
        monkeypatch.syspath_prepend(str(folder))

        def load_site(name):
            return TestApp(loadapp(f'config:{folder / name}'), extra_environ={
                'wsgi.url_scheme': 'https', 'HTTP_HOST': 'localhost:443'})
        return load_site

    def test_bottle(self, site):
        """The basket goes along into the login, and not out of the log-out."""
        shop = site('site.ini')
        assert shop.get('/').text == 'nothing'
        assert shop.post('/', {'item': 'books'}).text == 'books'
        assert shop.post('/login', {'user': 'bob'}).text == 'books'
        assert shop.post('/', {'item': 'songs'}).text == 'books, songs'
        assert list(shop.cookies) == ['__Host-site_session']
        shop.post('/logout')
        assert shop.get('/').text == 'nothing'

    def test_pyramid(self, site):
        """The note is there the next time."""
        notes = site('pyramid.ini')
        assert notes.get('/').json == {'note': ''}
        notes.post('/', {'note': 'remember'})
        assert notes.get('/').json == {'note': 'remember'}
        assert list(notes.cookies) == ['__Host-site_session']


class TestOptions:
    """The options of a section: Beaker's, by their own names."""

    def test_section(self, tmp_path, caplog):
        """A section that was Beaker's works; its cookie's options are named, once."""
        app = load(tmp_path, f'''
            beaker.session.type = file
            session.data_dir = {tmp_path}/sessions
            session.key = site
            session.secret = some-old-secret
            session.cookie_expires = soon
            timeout = 1200
            session.carry = basket language''')
        assert app.options == {
            'type': 'file', 'data_dir': f'{tmp_path}/sessions', 'timeout': 1200,
            'carry': ('basket', 'language'), 'invalidate_corrupt': True,
            'save_accessed_time': True}
        line, = caplog.messages
        assert line.startswith('paste_sessioncookie#beaker_session (loaded from ')
        assert ': cookie_expires, key, secret: not used' in line
        assert 'some-old-secret' not in caplog.text

    def test_default(self, tmp_path, caplog):
        """As with Beaker, [DEFAULT] counts where an option has a prefix."""
        app = load(tmp_path, '', default='''
            session.type = memory
            session.timeout = 60
            session.colour = blue
            type = file''')
        assert app.options['type'] == 'memory'
        assert app.options['timeout'] == 60
        line, = caplog.messages
        assert 'colour: there is no such option' in line

    def test_all_faults_at_once(self, tmp_path):
        """Each names option, value (no secret's), and what is accepted."""
        with pytest.raises(ConfigError) as error:
            load(tmp_path, '''
            session.type = cookie
            session.timout = 60
            session.timeout = soon
            session.data_serializer = yaml
            session.invalidate_corrupt = perhaps
            session.encrypt_key = not-for-everybody
            session.carry = basket _csrft_ username''')
        assert 'x.ini' in str(error.value)
        assert 'not-for-everybody' not in str(error.value)
        assert sorted(fault.split(';')[0] for fault in error.value.faults) == [
            'carry = basket _csrft_ username: _csrft_, username: such a key may say who '
            "somebody is, or prove it, or is the framework's own",
            'data_serializer = yaml: it takes json or pickle',
            'encrypt_key: it needs a validate_key beside it',
            'invalidate_corrupt = perhaps: String is not true/false: \'perhaps\'',
            'timeout = soon: Session timeout must be an integer.',
            'timout: there is no such option',
            'type = cookie: a session that is in a cookie has no ID']

    @pytest.mark.parametrize('options, fault', [
        ({'type': 'tape'}, 'type = tape: there is no such store; there are: .*dbm, ext:'),
        ({'type': 'file'}, r'MissingCacheParameter: data_dir or file_dir is required'),
        ({'type': 'ext:redis'}, "missing 1 required positional argument: 'url'"),
        ({'type': 'ext:redis', 'url': 'bob:hidden@x'}, 'ValueError: Redis URL must'),
        ({'type': 'ext:database', 'url': 'bob:hidden@x'}, r'ArgumentError: (?!.*hidden)'),
        ({'timeout': 60, 'save_accessed_time': 'no'}, 'timeout: it needs save_accessed_time'),
        ({'encrypt_key': 'x' * 32, 'validate_key': 'y' * 32, 'crypto_type': 'rot13'},
         "No crypto backend with name 'rot13'"),
        ({'session_class': Session}, 'session_class: there is no such option'),
        ({'tiemout': 60}, 'tiemout: there is no such option; did you mean timeout'),
        ({'sa.url': 'x'}, 'sa.url: there is no such option; there are: auto, carry,'),
        ({'timeout': ''}, 'timeout = : Session timeout must be an integer'),
    ])
    def test_fault(self, options, fault, probe):
        """What cannot work is refused when it is loaded."""
        with pytest.raises(ConfigError, match=fault) as error:
            SessionMiddleware(probe, **options)
        assert len(error.value.faults) == 1

    @pytest.mark.parametrize('options', [
        {'type': 'file'}, {'type': 'dbm', 'lock_dir': 'x'}], ids=['file', 'dbm'])
    @pytest.mark.parametrize('name', ['data_dir', 'file_dir', 'dbm_dir'])
    def test_a_folder_of_everybody(self, probe, tmp_path, options, name):
        """What anybody could write is not unpickled."""
        tmp_path.chmod(0o777)
        with pytest.raises(ConfigError, match=f'{name} = .*: everybody on this machine'):
            SessionMiddleware(probe, **{**options, name: str(tmp_path)})

    def test_encryption_needs_a_library(self, probe, monkeypatch):
        """Beaker itself would store in clear text, and say nothing."""
        monkeypatch.setitem(beaker.crypto.CRYPTO_MODULES, 'default', noencryption)
        with pytest.raises(ConfigError, match='encrypt_key: nothing is installed'):
            SessionMiddleware(probe, encrypt_key='x' * 32, validate_key='y' * 32)

    def test_no_password_is_shown(self, probe):
        """What a store complains of may have a password in it."""
        class Complaining(MemoryNamespaceManager):
            def __init__(self, namespace, url, **options):
                raise ValueError(f'no store at {url}')
        with pytest.raises(ConfigError, match=r'ValueError: no store at \.\.\.'):
            SessionMiddleware(probe, namespace_class=Complaining, url='redis://:hidden@x')

    def test_a_store_of_somebody_else(self, probe):
        """What a store from elsewhere reads, it knows itself."""
        class Elsewhere(MemoryNamespaceManager):
            pass
        app = SessionMiddleware(probe, namespace_class=Elsewhere, color='blue')
        assert app.options['color'] == 'blue'


def saved(act):
    def act_and_save(session):
        act(session)
        session.save()
    return act_and_save


def ended(session):
    session.invalidate()


def another_tab(ask):
    visitor = Visitor(ask.site)
    visitor.cookie = ask.visitor.cookie
    return visitor


def by_id(session_id):
    def act(session):
        return session.get_by_id(str(session_id))
    return act


def load(folder, section, default=''):
    """The filter of an ini file."""
    lines = ['[DEFAULT]', *default.splitlines(), '[filter:beaker]',
             'use = egg:paste_sessioncookie#beaker_session', *section.splitlines()]
    (folder / 'x.ini').write_text('\n'.join(line.strip() for line in lines))
    return loadfilter(f'config:{folder / "x.ini"}', 'beaker')(print)
