"""paste.session takes its session ID from the site."""
from __future__ import annotations

import os
import pickle
import re
import shutil
import stat
import sys
import threading
from pathlib import Path

import pytest
from conftest import Visitor
from contract import Contract, read, untouched, write
from paste.deploy import loadapp, loadfilter

from paste_sessioncookie import ConfigError
from paste_sessioncookie.frameworks.paste_session import (
    OPTIONS, SWEEP_EVERY, FileStore, SiteSessionMiddleware, make_paste_session, unused)

EXAMPLE = Path(__file__).parents[2] / 'docs' / 'examples' / 'paste_session'
ID = 'a' * 40


class TestPasteSession(Contract):
    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path):
        self.folder = tmp_path

    def application(self, view, carry=()):
        def app(environ, start_response):
            self.factory = environ['paste.session.factory']
            result = view(self.factory())
            start_response('200 OK', [('Content-Type', 'text/plain')])
            return result if hasattr(result, '__next__') else [str(result).encode()]
        return SiteSessionMiddleware(app, str(self.folder), 3600, carry=carry)

    def renew(self, session):
        session.regenerate()

    def records(self):
        return {path.name.removeprefix('session-') for path in self.folder.iterdir()}

    def test_a_value_changed_in_place(self, site):
        """As ever, it need not be assigned again."""
        visitor = Visitor(site(untouched))
        self.ask(visitor, write('basket', []))
        self.ask(visitor, lambda session: session['basket'].append('books'))
        assert self.ask(visitor, read('basket')) == "['books']"

    def test_what_the_factory_knows(self, site):
        """The names of Paste's factory are there."""
        visitor = Visitor(site(untouched))
        self.ask(visitor, lambda session: (self.factory.used, self.factory.has_session()))
        assert not self.records()
        self.ask(visitor, write('color', 'blue'))

        def view(session):
            assert self.factory() is session
            return session.copy(), self.factory.has_session(), self.factory.sid
        assert self.ask(visitor, view) == f"({{'color': 'blue'}}, True, {self.control.id!r})"

    def test_not_called(self, make_site):
        """An application that has no use for sessions is left alone."""
        def app(environ, start_response):
            assert not environ['paste.session.factory'].used
            start_response('200 OK', [('Content-Type', 'text/plain')])
            return [b'ok']
        visitor = Visitor(make_site(SiteSessionMiddleware(app, str(self.folder), 60)))
        assert visitor.get().text == 'ok'
        assert not self.records()

    def test_written_before_the_answer_is_out(self, site):
        """A browser that comes back at once finds what it was told of."""
        def around(app):
            def looking(environ, start_response):
                body = app(environ, start_response)
                assert self.records() == {self.control.id}
                return body
            return looking
        self.ask(Visitor(site(untouched, around=around)), write('color', 'blue'))

    def test_written_while_streaming(self, site):
        """What is written last is there, too."""
        visitor = Visitor(site(untouched))

        def view(session):
            session['color'] = 'blue'

            def body():
                session['color'] = 'red'
                yield b'one'
            return body()
        self.ask(visitor, view)
        assert self.ask(visitor, read('color')) == 'red'

    def test_ended_next_door_while_streaming(self, site):
        """What was written and has been ended since is not written again."""
        app = site(untouched)
        visitor, other_tab = Visitor(app), Visitor(app)
        self.ask(visitor, untouched)
        other_tab.cookie = visitor.cookie

        def view(session):
            session['color'] = 'blue'

            def body():
                self.ask(other_tab, self.end)
                session['color'] = 'red'
                yield b'one'
            return body()
        assert self.ask(visitor, view) == 'one'
        assert not self.records()

    def test_what_has_ended_is_said_once(self, site, caplog):
        """What a slow request has lost is one line in the log."""
        app = site(untouched)
        visitor, other_tab = Visitor(app), Visitor(app)
        self.ask(visitor, write('color', 'blue'))
        other_tab.cookie = visitor.cookie

        def slow(session):
            session['color'] = 'red'
            self.ask(other_tab, self.end)
        self.ask(visitor, slow)
        assert caplog.text.count('a session ended while a request was using it') == 1

    @pytest.mark.parametrize('issue', ['always', 'kept'])
    def test_opened_after_the_start(self, make_site, caplog, issue):
        """With issue = kept it is too late for a cookie: a warning, and no error."""
        def app(environ, start_response):
            start_response('200 OK', [('Content-Type', 'text/plain')])
            session = environ['paste.session.factory']()
            session['count'] = session.get('count', 0) + 1
            return [str(session['count']).encode()]
        visitor = Visitor(make_site(SiteSessionMiddleware(app, str(self.folder), 60),
                                    issue=issue))
        answers = visitor.get().text, visitor.get().text
        assert answers == (('1', '2') if issue == 'always' else ('1', '1'))
        assert ('after the response had started' in caplog.text) == (issue == 'kept')

    def test_who_only_reads_harms_no_writer(self, site):
        """A slow reader does not write back what it has read."""
        app = site(untouched)
        visitor, other_tab = Visitor(app), Visitor(app)
        self.ask(visitor, write('color', 'blue'))
        other_tab.cookie = visitor.cookie

        def slow(session):
            assert session['color'] == 'blue'
            self.ask(other_tab, write('color', 'red'))
        self.ask(visitor, slow)
        assert self.ask(visitor, read('color')) == 'red'

    def test_reading_keeps_it_alive(self, site):
        """A session expires when it is no longer used."""
        visitor = Visitor(site(untouched))
        self.ask(visitor, write('color', 'blue'))
        (path,) = self.folder.iterdir()
        path.touch()
        before = path.stat().st_mtime - 1000
        os.utime(path, (before, before))
        self.ask(visitor, read('color'))
        assert path.stat().st_mtime > before

    def test_what_cannot_be_pickled(self, site):
        """It is an error before the answer goes out, and leaves what was there."""
        visitor = Visitor(site(untouched))
        self.ask(visitor, write('color', 'blue'))
        self.view = write('color', threading.Lock())
        with pytest.raises(TypeError, match='cannot pickle'):
            visitor.get()
        assert self.records() == {self.control.id}
        assert self.ask(visitor, read('color')) == 'blue'

    def test_an_error_shows_no_id(self, site):
        """The folder is named, the file is not."""
        visitor = Visitor(site(untouched))
        self.ask(visitor, untouched)

        def view(session):
            shutil.rmtree(self.folder)
            session['color'] = 'blue'
        self.view = view
        with pytest.raises(OSError) as caught:
            visitor.get()
        assert caught.value.filename == str(self.folder)
        assert str(self.control.id) not in str(caught.value)

    def test_pastes_own_cookie_is_nothing(self, site, tmp_path_factory):
        """In Paste it names the file that is unpickled, wherever it is."""
        planted = tmp_path_factory.mktemp('planted') / 'file'
        planted.write_bytes(pickle.dumps({'color': 'planted'}))
        path = os.path.relpath(planted, self.folder)
        visitor = Visitor(site(read('color')))
        assert visitor.get(headers={'Cookie': f'_SID_="{path}"'}).text == '-'


# -- the files -----------------------------------------------------------------

@pytest.fixture
def store(tmp_path, clock):
    return FileStore(str(tmp_path), 3600, clock=clock)


def test_expired(store, clock):
    """A session that has not been used for that long is none."""
    store.insert(ID, {'color': 'blue'})
    clock.move(3600)
    assert store.load(ID) == {'color': 'blue'}
    clock.move(1)
    assert store.load(ID) is None


def test_touched(store, clock):
    """A session that is used does not expire; one that is gone does not come back."""
    store.insert(ID, {'color': 'blue'})
    clock.move(3600)
    store.touch(ID)
    clock.move(3600)
    assert store.load(ID) == {'color': 'blue'}
    store.delete(ID)
    store.touch(ID)
    store.delete(ID)
    assert store.load(ID) is None


@pytest.mark.parametrize('content', [b'', b'\x80\x04nothing', pickle.dumps([1])])
def test_a_file_that_cannot_be_read(store, tmp_path, clock, caplog, content):
    """It is a warning, and the session begins anew."""
    path = tmp_path / f'session-{ID}'
    path.write_bytes(content)
    os.utime(path, (clock.now, clock.now))
    assert store.load(ID) is None
    assert 'a session cannot be read and begins anew' in caplog.text
    assert ID not in caplog.text


def test_the_sweep(store, tmp_path, clock):
    """What has expired goes, also what a crash has left; other files stay."""
    others = {'20260101120000-0123', 'session-notes.txt', f'session-{ID}.bak'}
    for name in others | {f'session-{ID}.0123abcd'}:
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (0, 0))
    store.insert(ID, {'color': 'blue'})
    clock.move(3601)
    store.insert('b' * 40, {'color': 'red'})
    store.sweep()
    assert {path.name for path in tmp_path.iterdir()} == others | {f'session-{"b" * 40}'}


def test_the_sweep_is_rare(store, tmp_path, clock):
    """It runs beside a request, once in a quarter of an hour."""
    def sweep_if_due():
        store.sweep_if_due()
        for thread in threading.enumerate():
            if thread.name == 'paste.session cleanup' and thread.daemon:
                thread.join(30)
        return sorted(path.name[8] for path in tmp_path.iterdir())
    assert sweep_if_due() == []
    clock.move(-3601)
    store.insert(ID, {})
    clock.move(3601)
    assert sweep_if_due() == ['a']
    clock.move(SWEEP_EVERY)
    assert sweep_if_due() == []


def test_a_sweep_that_fails(store, tmp_path, caplog):
    """It is an error in the log."""
    tmp_path.rmdir()
    store.sweep()
    assert 'expired sessions could not be removed: No such file' in caplog.text


@pytest.mark.parametrize('chmod', [0o600, 0o660])
def test_the_mode_of_the_files(tmp_path, chmod):
    """They are the application's alone, or as it says."""
    FileStore(str(tmp_path), 60, chmod).insert(ID, {})
    assert stat.S_IMODE((tmp_path / f'session-{ID}').stat().st_mode) == chmod


def test_the_files_are_private_from_the_beginning(store, monkeypatch):
    """Nobody else can read what is not finished."""
    modes, before = [], os.umask(0)
    monkeypatch.setattr(os, 'chmod', lambda path, mode: modes.append(os.stat(path).st_mode))
    try:
        store.insert(ID, {})
    finally:
        os.umask(before)
    assert [stat.S_IMODE(mode) for mode in modes] == [0o600]


def test_a_file_is_always_a_whole_one(store, tmp_path, monkeypatch):
    """A write that fails leaves what was there, and nothing else."""
    def full(*args):
        raise OSError(28, 'No space left on device', args[1])
    store.insert(ID, {'color': 'blue'})
    monkeypatch.setattr(os, 'replace', full)
    with pytest.raises(OSError, match=f"No space left on device: '{tmp_path}'$"):
        store.update(ID, {'color': 'red'})
    assert store.load(ID) == {'color': 'blue'}
    assert len(list(tmp_path.iterdir())) == 1


# -- the section ---------------------------------------------------------------

def section(tmp_path, text, default=''):
    path = tmp_path / 'site.ini'
    path.write_text(f'[DEFAULT]\n{default}\n[filter:main]\n'
                    f'use = egg:paste_sessioncookie#paste_session\n{text}')
    return loadfilter(f'config:{path}')(untouched)


def test_a_section(tmp_path):
    """The options of Paste's section, and ours."""
    app = section(tmp_path, 'session_file_path = %(here)s/a/b\nexpiration = 60\n'
                  'chmod = 660\ncarry = basket size')
    assert stat.S_IMODE((tmp_path / 'a/b').stat().st_mode) == 0o700
    assert app.store.expiration == 3600
    app.store.insert(ID, {})
    assert stat.S_IMODE((tmp_path / f'a/b/session-{ID}').stat().st_mode) == 0o660
    assert section(tmp_path, 'session_file_path = a/b').store.expiration == 48 * 3600


def test_options_from_default(tmp_path, caplog):
    """As in Paste, [DEFAULT] counts for what a section does not say."""
    app = section(tmp_path, '', 'session_file_path = %(here)s\nexpiration = 2h\n'
                  'session_chmod = 640')
    assert app.store.expiration == 7200
    app.store.insert(ID, {})
    assert stat.S_IMODE((tmp_path / f'session-{ID}').stat().st_mode) == 0o640
    assert not caplog.text


@pytest.mark.parametrize('own, default', [
    ('session_expiration = 720\ncookie_name = _SID_', ''),
    ('', 'session_expiration = 720\nsession_cookie_name = _SID_')])
def test_options_of_the_cookie(tmp_path, caplog, own, default):
    """They are not used, and one warning says so."""
    section(tmp_path, f'session_file_path = %(here)s\n{own}', default)
    assert caplog.text.count('cookie_name, session_expiration: not used') == 1
    assert len(caplog.records) == 1


def test_all_faults_at_once(tmp_path):
    """Each says what is accepted."""
    tmp_path.chmod(0o777)
    with pytest.raises(ConfigError) as caught:
        section(tmp_path, 'session_file_path = %(here)s\nexpiration = never\nchmod = 999\n'
                'session_path = /tmp')
    faults = '\n'.join(caught.value.faults)
    assert 'session_path: there is no such option; did you mean session_file_path?' in faults
    assert f'session_file_path = {tmp_path}: everybody on this machine can write' in faults
    assert 'expiration = never: it takes a time' in faults
    assert 'chmod = 999: it takes three octal digits' in faults


@pytest.mark.parametrize('options, fault', [
    ({}, 'session_file_path: missing; write the folder'),
    ({'session_file_path': '/dev/null/sessions'}, 'cannot be made: Not a directory'),
    ({'session_file_path': '/proc/self/fdinfo'}, 'cannot be written'),
    ({'session_file_path': 'a ; b'}, 'no comments behind a value'),
])
def test_a_bad_folder(monkeypatch, options, fault):
    """It is an error when the section is loaded."""
    monkeypatch.setattr(os, 'access', lambda path, mode: path != '/proc/self/fdinfo')
    with pytest.raises(ConfigError, match=fault):
        make_paste_session(untouched, None, **options)


# -- the example of the manual -------------------------------------------------

def test_the_example(tmp_path, monkeypatch):
    """A basket fills, and each visitor has one."""
    folder = shutil.copytree(EXAMPLE, tmp_path / 'paste_session')
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.delitem(sys.modules, 'paste_basket', raising=False)
    app = loadapp(f'config:{folder}/site.ini')
    visitor = Visitor(app)
    visitor.get('/shop?book=Emma')
    visitor.get('/shop?book=Persuasion')
    assert visitor.get('/shop').text == 'Emma, Persuasion'
    assert Visitor(app).get('/shop').text == ''
    assert len(list((folder / 'sessions').iterdir())) == 1


def test_the_options_of_the_manual():
    """The table has those that are used, in their order."""
    page = (EXAMPLE.parents[1] / 'howto' / 'paste-session.rst').read_text()
    assert re.findall('^``([a-z_]+)``  ', page, re.M) == [
        name for name, option in OPTIONS.items() if option.convert is not unused]
