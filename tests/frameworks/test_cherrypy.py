"""CherryPy takes its session ID from the site."""
from __future__ import annotations

import datetime
import getpass
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from conftest import Visitor, login
from contract import Contract, read, untouched, write
from paste.deploy import loadapp

if 'CI' not in os.environ:
    pytest.importorskip('cherrypy', reason='needs pip install paste_sessioncookie[cherrypy]')

import cherrypy  # noqa: E402
from cherrypy.lib import sessions  # noqa: E402

from paste_sessioncookie import ConfigError, SessionCookieHandler  # noqa: E402
from paste_sessioncookie.frameworks import cherrypy as adapter  # noqa: E402
from paste_sessioncookie.frameworks.cherrypy import conf, places, session, tool  # noqa: E402

EXAMPLE = Path(__file__).parents[2] / 'docs' / 'examples' / 'cherrypy'

cherrypy.config.update({'environment': 'embedded', 'log.screen': False})


@pytest.fixture(autouse=True)
def _tool(monkeypatch):
    """Our tool, and no session of another test."""
    monkeypatch.setattr(cherrypy.tools, 'sessions', cherrypy.tools.sessions)
    cherrypy.tools.sessions = adapter.SiteSessions()
    sessions.RamSession.cache.clear()
    yield
    assert not sessions.RamSession.locks


@pytest.fixture
def sweeps(monkeypatch):
    """The sweeps that a test has started, which are stopped."""
    started = {}
    monkeypatch.setattr(session, '_sweeps', started)
    yield started
    for monitor in started.values():
        monitor.unsubscribe()
        monitor.stop()


class CherryPy(Contract):
    """Each request is in a thread of its own, as CherryPy expects."""

    config = {}

    def application(self, view, carry=()):
        class Root:
            @cherrypy.expose
            def default(self, *path, **query):
                cherrypy.response.headers['Content-Type'] = 'text/plain'
                result = view(cherrypy.serving.session)
                return result if hasattr(result, '__next__') else str(result)
        return cherrypy.Application(Root(), script_name=None, config={'/': {
            'tools.sessions.on': True, 'tools.sessions.carry': carry,
            'tools.sessions.locking': 'explicit', **self.config}})

    def ask(self, visitor, view, **environ):
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(super().ask, visitor, view, **environ).result()

    def renew(self, session):
        session.regenerate()

    def end(self, session):
        session.delete()


class Locking:
    """With a lock, one request of a visitor comes after the other."""

    def test_two_tabs_begin_at_once(self, site):
        """Two first requests under one new ID: the second sees the first's."""
        visitor = Visitor(site(untouched))
        self.ask(visitor, untouched)

        def count(session):
            session['count'] = session.get('count', 0) + 1
        self.view = count
        threads = [threading.Thread(target=visitor.get) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert self.ask(visitor, read('count')) == '4'
        assert self.records() == {self.control.id}

    def test_a_slow_request_brings_no_session_back(self, site):
        """Who ends a session waits for a slow request, and it stays ended."""
        def work(session):
            session['color'] = 'red'
        self.ended_while(work, site)

    def test_a_slow_reader_brings_no_session_back(self, site):
        """Likewise for one that only reads."""
        self.ended_while(untouched, site)

    def test_a_slow_login_brings_no_session_back(self, site):
        """... and for one that renews."""
        self.ended_while(self.renew, site)

    def ended_while(self, work, site):
        """Another tab ends the session while a request is at work."""
        app = site(untouched)
        visitor, other_tab = Visitor(app), Visitor(app)
        self.ask(visitor, write('color', 'blue'))
        other_tab.cookie = visitor.cookie
        before = str(self.control.id)
        ending, order = threading.Event(), []

        def end(session):
            ending.set()
            self.end(session)
            order.append('ended')

        def slow(session):
            assert session['color'] == 'blue'
            self.view = end
            other.start()
            assert ending.wait(30)
            work(session)
            order.append('worked')
        other = threading.Thread(target=other_tab.get)
        self.view = slow
        visitor.get()
        other.join()
        assert order == ['worked', 'ended']
        assert before not in self.records()


class Ram(CherryPy):
    def records(self):
        return set(sessions.RamSession.cache)


class TestRamExplicit(Ram):
    pass


class TestRamEarly(Locking, Ram):
    config = {'tools.sessions.locking': 'early', 'tools.sessions.debug': True}

    def ended_while(self, work, site):
        """The other tab's handler is not even called before."""
        visitor = Visitor(site(untouched))
        locked = []
        self.ask(visitor, lambda session: locked.append(session.locked) or work(session))
        assert locked == [True]


class TestRamStreaming(Locking, Ram):
    config = {'tools.sessions.locking': 'implicit', 'response.stream': True}

    def test_what_is_written_before_the_body_is_kept(self, site, caplog):
        """The cookie goes out with the first byte, the data with the last."""
        visitor = Visitor(site(untouched, issue='kept'))

        def view(session):
            session['color'] = 'blue'
            return iter([b'one', b'two'])
        assert self.ask(visitor, view) == 'onetwo'
        assert self.ask(visitor, read('color')) == 'blue'
        assert 'after the response had started' not in caplog.text

    def test_what_is_written_first_in_the_body_is_not(self, site, caplog):
        """With issue = kept, that is a warning: nobody learns the ID."""
        visitor = Visitor(site(untouched, issue='kept'))

        def view(session):
            def body():
                session['color'] = 'blue'
                yield b'one'
            return body()
        assert self.ask(visitor, view) == 'one'
        assert visitor.cookie is None
        assert 'after the response had started' in caplog.text

    def test_ended_in_the_body(self, site):
        """The data goes; the ID can no longer change."""
        visitor = Visitor(site(untouched))
        self.ask(visitor, write('color', 'blue'))

        def view(session):
            def body():
                assert 'color' in session
                session.delete()
                assert 'color' not in session
                yield b'one'
            return body()
        assert self.ask(visitor, view) == 'one'
        assert not self.records()
        assert self.ask(visitor, read('color')) == '-'

    def test_saved_before_the_body(self, site):
        """Who saves first does not let other requests wait for a long body, and
        reads afresh afterwards."""
        app = site(untouched)
        visitor, other_tab = Visitor(app), Visitor(app)
        self.ask(visitor, untouched)
        other_tab.cookie = visitor.cookie

        def view(session):
            session['color'] = 'blue'
            session.save()
            assert not session.locked

            def body():
                self.ask(other_tab, write('color', 'red'))
                yield session['color'].encode()
            return body()
        assert self.ask(visitor, view) == 'red'

    def test_ended_next_door_during_the_body(self, site):
        """What was saved, and has been ended since, is not begun again."""
        app = site(untouched)
        visitor, other_tab = Visitor(app), Visitor(app)
        self.ask(visitor, write('color', 'blue'))
        other_tab.cookie = visitor.cookie

        def view(session):
            session['color'] = 'red'
            session.save()

            def body():
                self.ask(other_tab, self.end)
                session['color'] = 'green'
                yield b'one'
            return body()
        assert self.ask(visitor, view) == 'one'
        assert not self.records()


class File(CherryPy):
    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path):
        self.folder = tmp_path
        self.config = {**self.config, 'tools.sessions.storage_class': sessions.FileSession,
                       'tools.sessions.storage_path': str(tmp_path)}

    def records(self):
        return {path.name.removeprefix('session-') for path in self.folder.iterdir()
                if path.suffix != '.lock'}


class TestFileExplicit(File):
    pass


class TestFile(Locking, File):
    config = {'tools.sessions.locking': 'implicit'}

    def test_no_lock_file_without_a_record(self, site):
        """Who only looks leaves nothing at all."""
        visitor = Visitor(site(untouched))
        self.ask(visitor, read('color'))
        assert not list(self.folder.iterdir())
        self.ask(visitor, write('color', 'blue'))
        self.ask(visitor, self.end)
        assert not list(self.folder.iterdir())

    def test_released_by_hand(self, site):
        """A handler may let the lock go before something slow."""
        visitor = Visitor(site(untouched))

        def view(session):
            session['color'] = 'blue'
            session.release_lock()
            assert not session.locked
        self.ask(visitor, view)
        assert self.ask(visitor, read('color')) == 'blue'

    def test_a_file_that_cannot_be_read(self, site, caplog):
        """It is a warning, and the session begins anew."""
        visitor = Visitor(site(untouched))
        self.ask(visitor, write('color', 'blue'))
        next(self.folder.glob('session-*[!k]')).write_bytes(b'\x80\x04nothing')
        assert self.ask(visitor, read('color')) == '-'
        assert 'a session cannot be read and begins anew: UnpicklingError' in caplog.text
        self.ask(visitor, write('color', 'red'))
        assert self.ask(visitor, read('color')) == 'red'

    @pytest.mark.parametrize('missing', ['lock', 'record'])
    def test_errors_show_no_id(self, site, caplog, missing):
        """The folder is named, the file's name is not."""
        self.config = {**self.config, 'request.show_tracebacks': True}
        visitor = Visitor(site(untouched))
        self.ask(visitor, untouched)

        def view(session):
            if missing == 'record':
                session['color'] = 'blue'
            shutil.rmtree(self.folder)
            session['color'] = 'red'
        self.view = view
        response = visitor.get()
        assert response.status_int == 500
        assert f"No such file or directory: '{self.folder}'" in response.text
        assert str(self.control.id) not in response.text + caplog.text

    def test_a_lock_that_is_not_let_go(self, site, caplog):
        """lock_timeout is an error which shows no ID."""
        self.config = {**self.config, 'tools.sessions.lock_timeout': 0.05,
                       'request.show_tracebacks': True}
        app = site(untouched)
        visitor, other_tab = Visitor(app), Visitor(app)
        self.ask(visitor, write('color', 'blue'))
        other_tab.cookie = visitor.cookie

        def slow(session):
            session['color'] = 'red'
            self.view = read('color')
            with ThreadPoolExecutor(1) as pool:
                return pool.submit(other_tab.get).result().text
        page = self.ask(visitor, slow)
        assert 'LockTimeout: Timeout acquiring lock for a session' in page
        assert str(self.control.id) not in page + caplog.text

    def test_a_sweep_knows_nobody(self, site, sweeps):
        """It does not keep the ID of the visitor who came first."""
        self.ask(Visitor(site(untouched)), write('color', 'blue'))
        (sweep,) = sweeps.values()
        (place,) = sweep.callback.args
        assert place.id == session.NOBODY

    def test_the_sweep(self, site, sweeps, caplog):
        """Expired records go, whatever is in them, and locks without a record."""
        app = site(untouched)
        visitor, old, torn = Visitor(app), Visitor(app), Visitor(app)
        self.ask(visitor, write('color', 'blue'))
        keeps = self.records()

        def brief(session):
            session.timeout = -1
            session['color'] = 'red'
        self.ask(old, brief)
        assert self.ask(old, read('color')) == '-'
        before = self.records()
        self.ask(torn, write('color', 'green'))
        (torn_id,) = self.records() - before
        path = self.folder / f'session-{torn_id}'
        path.write_bytes(b'')
        os.utime(path, (0, 0))
        (self.folder / 'session-left.lock').touch()
        (self.folder / 'a file of somebody else').touch()
        (sweep,) = sweeps.values()
        sweep.callback()
        assert self.records() - {'a file of somebody else'} == keeps
        assert not (self.folder / 'session-left.lock').exists()
        assert self.ask(visitor, read('color')) == 'blue'

    def test_the_sweep_leaves_what_is_in_use(self, site, sweeps):
        """It waits for nobody."""
        visitor = Visitor(site(untouched))

        def view(session):
            session.timeout = -1
            session['color'] = 'blue'
            session.save()
            session.acquire_lock()
            session.clean_up()
            assert self.records()
            session.release_lock()
            session.clean_up()
            assert not self.records()
        self.ask(visitor, view)

    def test_a_sweep_that_fails(self, site, sweeps, caplog):
        """It is an error in the log, and not the last sweep."""
        self.ask(Visitor(site(untouched)), read('color'))
        shutil.rmtree(self.folder)
        (sweep,) = sweeps.values()
        sweep.callback()
        assert 'expired sessions could not be removed (FileNotFoundError)' in caplog.text

    def test_each_folder_is_swept(self, site, sweeps, tmp_path_factory):
        """Two applications with a folder each have a sweep each, and one only."""
        self.ask(Visitor(site(untouched)), read('color'))
        self.ask(Visitor(site(untouched)), read('color'))
        self.config = {**self.config,
                       'tools.sessions.storage_path': str(tmp_path_factory.mktemp('other'))}
        self.ask(Visitor(site(untouched)), read('color'))
        assert len(sweeps) == 2

    def test_no_sweep_is_wanted(self, site, sweeps):
        """clean_freq = None."""
        self.config = {**self.config, 'tools.sessions.clean_freq': None}
        self.ask(Visitor(site(untouched)), read('color'))
        assert not sweeps


class TestFileStreaming(Locking, File):
    config = {'tools.sessions.locking': 'implicit', 'response.stream': True}


class OwnStorage(sessions.Session):
    """A storage class that somebody has written."""

    kept = {}
    lock = threading.RLock()

    def _exists(self):
        return self.id in self.kept

    def _load(self):
        return self.kept.get(self.id)

    def _save(self, expiration_time):
        self.kept[self.id] = dict(self._data), expiration_time

    def _delete(self):
        self.kept.pop(self.id, None)

    def acquire_lock(self):
        self.lock.acquire()
        self.locked = True

    def release_lock(self):
        self.locked = False
        self.lock.release()


class TestOwnStorage(CherryPy):
    config = {'tools.sessions.storage_class': OwnStorage}

    @pytest.fixture(autouse=True)
    def _empty(self):
        OwnStorage.kept.clear()

    def records(self):
        return set(OwnStorage.kept)

    def test_the_sweep_has_a_place_of_its_own(self, site, sweeps, monkeypatch):
        """What a sweep locks and unlocks is not the session of a request."""
        def clean_up(place):
            place.acquire_lock()
            place.release_lock()
        monkeypatch.setattr(OwnStorage, 'clean_up', clean_up)

        def view(session):
            session.acquire_lock()
            session['color'] = 'blue'
            (sweep,) = sweeps.values()
            sweep.callback()
            assert session.locked
        self.ask(Visitor(site(untouched)), view)


@pytest.fixture(scope='session')
def memcached(tmp_path_factory):
    """The port of a real memcached, for the time of all tests."""
    server = shutil.which('memcached')
    if 'CI' not in os.environ:
        pytest.importorskip('memcache', reason='needs pip install python-memcached')
        if server is None:
            pytest.skip('needs memcached (Debian: apt-get install memcached)')
    ports = tmp_path_factory.mktemp('memcached') / 'ports'
    process = subprocess.Popen(
        [server, '-u', getpass.getuser(), '-l', '127.0.0.1', '-p', '-1', '-U', '0'],
        env={'MEMCACHED_PORT_FILENAME': str(ports)})
    try:
        for _ in range(300):
            if ports.exists():
                break
            time.sleep(0.1)
        yield int(ports.read_text().split(':')[1])
    finally:
        process.terminate()
        process.wait(10)


def say(port, command):
    """The lines of what memcached answers."""
    lines = []
    with socket.create_connection(('127.0.0.1', port), 10) as connection:
        connection.sendall(command.encode() + b'\r\n')
        with connection.makefile() as answer:
            while not lines or lines[-1] not in ('END', 'DELETED', 'NOT_FOUND'):
                lines.append(answer.readline().strip())
    return lines


# python-memcached leaves the connections of a thread to the garbage collector
@pytest.mark.filterwarnings('ignore::pytest.PytestUnraisableExceptionWarning')
class TestMemcached(Locking, CherryPy):
    @pytest.fixture(autouse=True)
    def _server(self, memcached):
        self.port = memcached
        self.config = {'tools.sessions.locking': 'implicit',
                       'tools.sessions.storage_class': sessions.MemcachedSession,
                       'tools.sessions.servers': [f'127.0.0.1:{memcached}']}
        for session_id in self.records():
            say(memcached, f'delete {session_id}')
        yield
        assert not sessions.MemcachedSession.locks

    def records(self):
        return {line.split()[0].removeprefix('key=')
                for line in say(self.port, 'lru_crawler metadump all') if 'key=' in line}

    def test_what_does_not_fit(self, site, caplog):
        """memcached takes no session of more than 1 MB; the error shows no ID."""
        self.config['request.show_tracebacks'] = True
        visitor = Visitor(site(write('color', 'x' * 3_000_000)))
        response = visitor.get()
        assert response.status_int == 500
        assert 'memcached did not take a session' in response.text
        assert str(self.control.id) not in response.text + caplog.text


# -- cherrypy.session ----------------------------------------------------------

class TestRam(Locking, Ram):
    config = {'tools.sessions.locking': 'implicit', 'tools.sessions.debug': True}

    def test_what_it_says_of_itself(self, site):
        """The names of CherryPy's session are there."""
        app = site(untouched)
        visitor = Visitor(app)
        seen = []

        def look(session):
            seen.append((session.id == self.control.id, session.originalid == session.id,
                         session.missing, session.loaded, session.regenerated,
                         session.timeout, len(session), session.locked))
        self.ask(visitor, look)
        self.ask(visitor, write('color', 'blue'))
        self.ask(visitor, look)

        def renewed(session):
            cherrypy.tools.sessions.regenerate()
            look(session)
            assert session.cache is sessions.RamSession.cache
            assert isinstance(session.now(), datetime.datetime)
        self.ask(visitor, renewed)
        assert seen == [
            (True, True, True, False, False, 60, 0, False),
            (True, True, False, False, False, 60, 1, False),
            (True, False, False, True, True, 60, 1, True)]

    def test_the_proxy(self, site, monkeypatch):
        """cherrypy.session is there from the first request on."""
        monkeypatch.delattr(cherrypy, 'session', raising=False)
        visitor = Visitor(site(untouched))

        def view(session):
            cherrypy.session['color'] = 'blue'
            return cherrypy.session.id
        assert self.ask(visitor, view) == self.control.id
        assert self.ask(visitor, lambda session: cherrypy.session['color']) == 'blue'

    def test_expire_ends_it(self, site):
        """CherryPy's function for a log-out sends no cookie, and leaves nothing."""
        visitor = Visitor(site(untouched))
        self.ask(visitor, write('color', 'blue'))
        before = str(self.control.id)

        def view(session):
            cherrypy.response.cookie['session_id']['path'] = '/'  # is nothing
            assert 'color' in session
            sessions.expire()
            assert 'color' not in session
        self.ask(visitor, view)
        assert not self.records()
        assert self.control.id != before

    def test_the_cookies_of_the_application(self, site):
        """They are sent, as ever; one that is not there is a KeyError."""
        visitor = Visitor(site(untouched))

        def view(session):
            cherrypy.response.cookie['theme'] = 'dark'
            with pytest.raises(KeyError):
                cherrypy.response.cookie['size']
        self.view = view
        visitor.get()
        assert 'theme=dark' in visitor.set_cookies

    def test_a_cookie_set_before(self, site):
        """A cookie that a hook has set before the session's stays."""
        def early():
            cherrypy.response.cookie['theme'] = 'dark'
        self.config = {**self.config, 'hooks.on_start_resource': early}
        visitor = Visitor(site(untouched))
        visitor.get()
        assert 'theme=dark' in visitor.set_cookies

    def test_the_old_cookie_is_nothing(self, site):
        """CherryPy's own cookie of former times says nothing."""
        visitor = Visitor(site(read('color')))
        response = visitor.get(headers={'Cookie': 'session_id=' + 'a' * 40})
        assert response.text == '-'
        assert 'a' * 40 != self.control.id

    def test_a_log_in_renews_it(self, site):
        """Whoever puts a user into a session gets a new ID, once."""
        visitor = Visitor(site(untouched))
        self.ask(visitor, write('color', 'blue'))
        ids = [str(self.control.id)]
        for data in ({'username': 'bob'}, {'username': 'bob'}, {'username': 'eve'},
                     {'username': None}, [('username', None)]):
            self.ask(visitor, lambda session: session.update(data))
            ids.append(str(self.control.id))
        assert len(set(ids)) == 3
        assert self.ask(visitor, read('color')) == 'blue'
        assert self.records() == {self.control.id}

    def test_setdefault(self, site):
        """It is a log-in, too, if nobody is in."""
        visitor = Visitor(site(untouched))
        assert self.ask(visitor, lambda s: str(s.setdefault('username'))) == 'None'
        assert not self.records()
        before = str(self.control.id)
        assert self.ask(visitor, lambda s: s.setdefault('username', 'bob')) == 'bob'
        assert self.control.id != before
        assert self.ask(visitor, lambda s: s.setdefault('username', 'eve')) == 'bob'

    def test_session_auth(self, site):
        """CherryPy's log-in tool shakes a planted cookie off, and stores nothing of
        those whom it asks to log in."""
        self.config = {
            **self.config, 'tools.session_auth.on': True,
            'tools.session_auth.check_username_and_password': lambda name, password: None}
        app = site(untouched)
        attacker, victim = Visitor(app), Visitor(app)
        assert 'Password' in self.ask(attacker, untouched)
        assert not self.records()
        victim.cookie = attacker.cookie
        victim.post('/do_login?username=bob&password=x', CONTENT_LENGTH='0')
        assert self.ask(victim, read('username')) == 'bob'
        assert 'Password' in self.ask(attacker, untouched)

    def test_the_sites_user(self, site):
        """Who is logged in next door is CherryPy's request.login."""
        visitor = Visitor(site(untouched))
        self.next_door(visitor, login('bob'))
        assert self.ask(visitor, lambda session: cherrypy.request.login) == 'bob'

    def test_a_redirect(self, site):
        """What was written before a redirect is kept."""
        visitor = Visitor(site(untouched))

        def view(session):
            session['color'] = 'blue'
            raise cherrypy.HTTPRedirect('/there')
        self.view = view
        assert visitor.get().status_int in (302, 303)
        assert self.ask(visitor, read('color')) == 'blue'

    def test_an_internal_redirect(self, site):
        """Also before one that the browser does not see."""
        visitor = Visitor(site(untouched))

        def view(session):
            if cherrypy.request.path_info == '/there':
                return session['color']
            session['color'] = 'blue'
            raise cherrypy.InternalRedirect('/there')
        assert self.ask(visitor, view) == 'blue'

    def test_an_error_after_a_log_in(self, site):
        """The ID has changed, so the data goes along."""
        visitor = Visitor(site(untouched))
        self.ask(visitor, write('color', 'blue'))

        def view(session):
            session['username'] = 'bob'
            raise ZeroDivisionError('as the test wants it')
        self.view = view
        assert visitor.get().status_int == 500
        assert self.ask(visitor, read('color')) == 'blue'
        assert self.records() == {self.control.id}

    def test_an_error_before_the_session(self, site):
        """Errors before there is a session are CherryPy's to answer."""
        def fail():
            raise cherrypy.HTTPError(405)
        self.config = {**self.config, 'hooks.on_start_resource': fail}
        assert Visitor(site(untouched)).get().status_int == 405

    def test_an_error_does_not_log_the_cookie(self, site, caplog):
        """CherryPy logs the headers of the request; the site's cookie is not there."""
        def fail(session):
            raise ZeroDivisionError('as the test wants it')
        self.config = {**self.config, 'tools.log_headers.on': True}  # CherryPy's default
        visitor = Visitor(site(untouched))
        self.ask(visitor, untouched)
        self.view = fail
        assert visitor.get(headers={'Cookie': f'a=b; {visitor.cookie}; c=d'}
                           ).status_int == 500
        assert 'a=b; __Host-site_session=(hidden); c=d' in caplog.text
        assert visitor.value not in caplog.text

    def test_switched_on_twice(self, site):
        """Two tools of one name: the first's session stays."""
        def again():
            tool.init()
        self.config = {**self.config, 'hooks.before_handler': again}
        visitor = Visitor(site(untouched))
        self.ask(visitor, write('color', 'blue'))
        assert self.ask(visitor, read('color')) == 'blue'

    def test_reading_keeps_it_alive(self, site):
        """As in CherryPy, a record's time begins anew whenever it is used."""
        visitor = Visitor(site(untouched))
        self.ask(visitor, write('color', 'blue'))
        ((_, before),) = sessions.RamSession.cache.values()
        self.ask(visitor, read('color'))
        ((_, after),) = sessions.RamSession.cache.values()
        assert after > before

    def test_the_log_shows_no_id(self, site, caplog):
        """Neither with debug."""
        visitor = Visitor(site(untouched))
        self.ask(visitor, write('color', 'blue'))
        assert 'A session under the ID of the site' in caplog.text
        # the contract's fixture looks for the ID


# -- locks ---------------------------------------------------------------------

def test_a_lock_that_is_gone_when_it_is_ours():
    """Who waited for a lock that was taken away waits for the new one."""
    class Locks(dict):
        def setdefault(self, key, lock):
            self.setdefault = super().setdefault
            return threading.Lock()  # as it was a moment ago
    place = places.place_class(sessions.RamSession)('an ID')
    place.locks = Locks()
    place.acquire_lock()
    assert place.locks['an ID'].locked()
    place.release_lock()
    assert not place.locks


def test_a_lock_file_that_is_gone_when_it_is_ours(tmp_path, monkeypatch):
    """Likewise for files: a lock on a file without a name locks nobody out."""
    path = tmp_path / 'session-x.lock'
    real, removed = places.zc.lockfile.LockFile, []

    def lock(name):
        got = real(name)
        if not removed:
            removed.append(path.unlink())
        return got
    monkeypatch.setattr(places.zc.lockfile, 'LockFile', lock)
    place = places.place_class(sessions.FileSession)('x', storage_path=str(tmp_path))
    place.acquire_lock()
    assert removed and path.exists()
    place.release_lock()
    assert not path.exists()


# -- configuration -------------------------------------------------------------

def application(**options):
    return cherrypy.Application(None, config={'/': {'tools.sessions.on': True}, '/shop': {
        f'tools.sessions.{name}': value for name, value in options.items()}})


@pytest.mark.parametrize('options, fault', [
    ({'timeout': 0}, 'timeout = 0: it takes a number of minutes, more than none'),
    ({'timeout': '1h'}, "timeout = '1h': it takes a number"),
    ({'clean_freq': -1}, 'clean_freq = -1: it takes a number of minutes, or None'),
    ({'lock_timeout': '5'}, "lock_timeout = '5': it takes a number of seconds, a timedelta"),
    ({'locking': 'off'}, "locking = 'off': it takes implicit, early, explicit"),
    ({'storage_type': 'sql'}, "storage_type = 'sql': it takes ram, file, memcached"),
    ({'storage_class': 'file'}, "storage_class = 'file': it takes a subclass of"),
    ({'storage_class': dict}, "storage_class = <class 'dict'>: it takes a subclass of"),
    ({'storage_type': 'file'}, 'storage_path = None: it takes a folder'),
    ({'storage_class': sessions.FileSession, 'storage_path': '/nowhere'},
     "storage_path = '/nowhere': it takes a folder"),
    ({'carry': 'basket username'}, 'carry: username: '),
    ({'tiemout': 5}, 'tiemout: there is no such option; did you mean timeout?'),
])
def test_a_bad_option(options, fault):
    """It is said what is accepted."""
    with pytest.raises(ConfigError) as caught:
        adapter.check(application(**options))
    assert str(caught.value).startswith('tools.sessions\n  - ' + fault)
    assert len(caught.value.faults) == 1


@pytest.mark.parametrize('options', [
    {}, {'timeout': 0.5, 'clean_freq': None, 'lock_timeout': 5, 'carry': 'basket'},
    {'lock_timeout': datetime.timedelta(seconds=5), 'locking': 'early'},
    {'storage_class': sessions.FileSession, 'storage_path': '.'},
    {'storage_type': 'ram', 'carry': ('basket', 'size')},
])
def test_a_good_option(options):
    """Nothing is said."""
    adapter.check(application(**options))


def test_a_storage_of_ones_own_takes_more():
    """Its options are its own business."""
    class Own(sessions.RamSession):
        pass
    adapter.check(application(storage_class=Own, colour='blue'))


def test_the_key_of_the_login():
    """... is not carried, whatever its name."""
    app = application(carry='basket customer')
    adapter.check(app)
    app.merge({'/': {'tools.session_auth.session_key': 'customer'}})
    with pytest.raises(ConfigError, match='carry: customer: '):
        adapter.check(app)


def test_all_faults_at_once():
    """Those of all paths, each once."""
    app = application(locking='off')
    app.merge({'/': {'tools.sessions.timeout': 0}, 'database': {'url': 'none'}})
    app.config['note'] = 'CherryPy allows that'
    with pytest.raises(ConfigError) as caught:
        adapter.check(app)
    assert len(caught.value.faults) == 2


def test_a_bad_option_of_the_tool():
    """The tool itself takes one, and looks at it."""
    with pytest.raises(ConfigError, match='carry: username'):
        adapter.SiteSessions(carry='username')


def test_a_bad_option_in_a_class(caplog):
    """What nobody has checked is an error of the request."""
    class Root:
        @cherrypy.expose
        @cherrypy.tools.sessions(locking='off')
        def index(self):
            return 'ok'
    app = cherrypy.Application(Root(), script_name='')
    assert Visitor(app).get().status_int == 500
    assert "locking = 'off': it takes" in caplog.text


def test_options_of_the_cookie(caplog):
    """They are not used, and one warning says so."""
    class Root:
        @cherrypy.expose
        @cherrypy.tools.sessions(name='sid', secure=True, persistent=False)
        def index(self):
            sessions.expire()
            return 'ok'
    app = SessionCookieHandler(cherrypy.Application(Root(), script_name=''),
                               secret='0123456789abcdefghijklmnopqrstuv')
    conf._good.clear()
    visitor = Visitor(app)
    assert visitor.get().text == visitor.get().text == 'ok'
    assert not [header for header in visitor.set_cookies if header.startswith('sid=')]
    assert caplog.text.count('tools.sessions: name, persistent, secure: not used') == 1


# -- the example of the manual -------------------------------------------------

def test_the_example(tmp_path, monkeypatch, caplog):
    """A basket outlives the application's log-in and the site's; a log-out ends it."""
    folder = shutil.copytree(EXAMPLE, tmp_path / 'cherrypy')
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.delitem(sys.modules, 'cherrypy_shop', raising=False)
    visitor = Visitor(loadapp(f'config:{folder}/site.ini'))
    visitor.get('/shop/')
    visitor.post('/shop/add?book=Emma', CONTENT_LENGTH='0')
    visitor.post('/shop/enter?name=bob', CONTENT_LENGTH='0')
    assert visitor.get('/shop/').text == 'bob: Emma'
    assert len(list((folder / 'sessions').glob('*[!k]'))) == 1
    visitor.post('/shop/leave', CONTENT_LENGTH='0')
    assert visitor.get('/shop/').text == 'nobody: '
    assert not list((folder / 'sessions').iterdir())
