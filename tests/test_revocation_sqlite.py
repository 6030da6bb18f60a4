"""revocation_sqlite.py: a list in a file, for the processes of a machine."""
import contextlib
import logging
import os
import sqlite3
import subprocess
import sys
import tempfile
import textwrap
import threading
import time

import pytest
from conftest import START, Visitor, login, logout

from paste_sessioncookie import RevocationUnavailable, engines, revocation_sqlite
from paste_sessioncookie.revocation_sqlite import SWEEP_EVERY, SQLiteStore
from paste_sessioncookie.revocation_store import StoredRevocations

NOON = START
PATIENCE = 60  # seconds: no test fails for being slow on a busy machine


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / 'revoked.db')


@pytest.fixture
def store(path):
    store = SQLiteStore(path, PATIENCE)
    store.prepare()
    yield store
    store.close()


def run(code, *arguments):
    """Another process; it has ``store`` for the path that is the first argument."""
    code = textwrap.dedent('''
        import os, sys, time
        from paste_sessioncookie.revocation_sqlite import SQLiteStore
        store = SQLiteStore(sys.argv[1], patience=60)
        store.prepare()
        ''') + textwrap.dedent(code)
    return subprocess.Popen([sys.executable, '-c', code, *map(str, arguments)],
                            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def finish(process):
    output, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0
    return output


# -- the file ----------------------------------------------------------------

def test_the_file_is_made(caplog, path):
    """It is there as soon as the ini file is loaded, for one's own eyes only; the log
    says so, as a list that is made anew has lost what was revoked."""
    caplog.set_level(logging.INFO)
    store = SQLiteStore(path, PATIENCE)
    for _ in range(2):
        store.prepare()
    assert caplog.messages == [f'made a new revocation list: {path}']
    assert os.stat(path).st_mode & 0o777 == 0o600
    store.put(b'x', 1, NOON, NOON)
    assert os.stat(path + '-wal').st_mode & 0o777 == 0o600
    store.close()


def test_a_file_that_everybody_can_write(caplog, path):
    """Who can write the list can take entries out of it: a warning says so; to read it
    tells nobody anything."""
    store = SQLiteStore(path)
    store.prepare()
    for mode in 0o664, 0o666:
        os.chmod(path, mode)
        store.prepare()
    store.close()
    assert caplog.messages == [
        f'{path} can be written by everybody on this machine, who can so bring a login back '
        'that was ended; chmod 600 it']


def test_many_processes_make_it(path):
    """Processes that start at once, without a file, have one list."""
    processes = [run('store.put(sys.argv[2].encode(), 7, 2, 1)', path, n) for n in range(12)]
    for process in processes:
        finish(process)
    store = SQLiteStore(path)
    assert [store.latest([str(n).encode()]) for n in range(12)] == [7] * 12
    store.close()


def test_an_empty_file(path):
    """A file that a deployer made, with the mode that he wants, is taken."""
    with open(path, 'wb'):
        os.chmod(path, 0o640)
    store = SQLiteStore(path)
    store.prepare()
    store.put(b'x', 1, NOON, NOON)
    store.close()
    assert os.stat(path).st_mode & 0o777 == 0o640


def test_a_relative_name(tmp_path, monkeypatch):
    """It is relative to the ini file, and stays so when the server goes elsewhere."""
    store = engines.revocation('sqlite:revoked.db', str(tmp_path))
    monkeypatch.chdir('/')
    store.put(b'x', 1, NOON, NOON)
    store.close()
    assert (tmp_path / 'revoked.db').exists()


def test_two_names_of_one_file(path, tmp_path):
    """A link to the file is the file."""
    os.symlink(path, tmp_path / 'link.db')
    assert engines.revocation(f'sqlite:{path}', '') is engines.revocation('sqlite:link.db', str(tmp_path))


def test_loading_again(store, path):
    """To load the ini file again, in the process that uses the file, takes none of its
    locks away: no other process then takes itself for the last one, and removes the log."""
    store.put(b'x', 7, NOON, NOON)
    store.latest([b'x'])
    store.prepare()
    log = os.stat(path + '-wal').st_ino
    finish(run('store.put(b"y", 7, 2, 1); store.close()', path))
    assert os.stat(path + '-wal').st_ino == log
    store.put(b'z', 7, NOON, NOON)
    assert finish(run('print(store.latest([b"z"]))', path)) == '7\n'


def another_database(path):
    with sqlite3.connect(path) as connection:
        connection.execute('CREATE TABLE shop (x)')
    connection.close()


def another_version(path):
    SQLiteStore(path).prepare()
    with sqlite3.connect(path) as connection:
        connection.execute('PRAGMA user_version = 2')
    connection.close()


def no_wal(path):
    SQLiteStore(path).prepare()
    with sqlite3.connect(path) as connection:
        connection.execute('PRAGMA journal_mode = DELETE')
    connection.close()


def no_database(path):
    with open(path, 'w') as file:
        file.write('these are no revocations' * 100)


def a_link_to_nothing(path):
    os.symlink('/nowhere/revoked.db', path)


@pytest.mark.parametrize('make, fault', [
    (another_database, 'another application'), (another_version, 'another version'),
    (no_wal, 'local disk'), (no_database, 'not a database'), (os.mkdir, 'unable to open'),
    (a_link_to_nothing, 'unable to open')], ids=lambda value: getattr(value, '__name__', ''))
def test_a_file_that_cannot_be_used(path, make, fault):
    """It is refused while the ini file is loaded, with its name, and left as it is."""
    make(path)
    before = os.lstat(path)
    with pytest.raises(ValueError, match=f'revoked.db cannot be used: .*{fault}'):
        SQLiteStore(path).prepare()
    assert os.lstat(path).st_size == before.st_size


def test_several_make_it_at_once(path):
    """Who comes upon a file that another process is about to make waits for it."""
    with contextlib.closing(sqlite3.connect(
            path, isolation_level=None, check_same_thread=False)) as other:
        other.execute('BEGIN IMMEDIATE')
        threading.Timer(0.3, other.execute, ['COMMIT']).start()
        SQLiteStore(path).prepare()


def test_no_directory(tmp_path):
    """So is a directory that is not there."""
    with pytest.raises(ValueError, match='cannot be made: No such file or directory'):
        engines.revocation('sqlite:nowhere/revoked.db', str(tmp_path))


def test_a_file_that_is_read_only():
    """And a file that only others may write."""
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, 'revoked.db')
        SQLiteStore(path).prepare()
        os.chmod(path, 0o444)
        os.chmod(directory, 0o777)
        answer = finish(run('''
            if os.getuid() == 0:
                os.setuid(65534)  # root may write everything
            try:
                SQLiteStore(sys.argv[2]).prepare()
            except ValueError as error:
                print(error)
            ''', os.path.join(directory, 'other.db'), path))
    assert 'revoked.db cannot be used: attempt to write a readonly database' in answer


def test_nobody_is_named_in_it(store, path):
    """Neither users nor login IDs nor the list's name are in the file."""
    list_name = '5a' * 32
    revocations = StoredRevocations(store, [list_name])
    revocations.revoke_login('10917' * 8, NOON + 10, NOON)
    revocations.revoke_user('b0bby-tables', NOON, NOON + 10, NOON)
    store.close()
    with open(path, 'rb') as file:
        data = file.read()
    for text in (b'10917' * 3, b'b0bby', b'5a' * 8, bytes.fromhex(list_name)):
        assert text not in data


# -- readers and writers -----------------------------------------------------

def test_a_look_up_is_one_statement(store, make_site, probe, monkeypatch):
    """A request with a login asks once; one without asks nothing."""
    statements = []
    original = revocation_sqlite._open

    def traced(*arguments):
        connection = original(*arguments)
        connection.set_trace_callback(statements.append)
        return connection
    monkeypatch.setattr(revocation_sqlite, '_open', traced)
    visitor = Visitor(make_site(probe, revocations=store))
    visitor.get(), visitor.get()
    assert statements == []
    probe.act = login('bob')
    visitor.get()
    probe.act = None
    visitor.get()
    statements.clear()
    visitor.get()
    assert len(statements) == 1 and statements[0].startswith('SELECT')


def test_readers_do_not_wait(store, path):
    """While a writer holds its transaction, in another process or in this one, a
    look-up is answered, and so it is at a checkpoint."""
    store.put(b'x', 7, NOON, NOON)
    writer = run('''
        with store._writer.use() as connection:
            connection.execute('BEGIN EXCLUSIVE')
            connection.execute('DELETE FROM revoked')
            print('begun', flush=True)
            sys.stdin.readline()
            connection.execute('COMMIT')
            connection.execute('PRAGMA wal_checkpoint(PASSIVE)')
            print('done', flush=True)
            sys.stdin.readline()
        ''', path)
    assert writer.stdout.readline() == 'begun\n'
    hasty = SQLiteStore(path, patience=0)
    with pytest.raises(RevocationUnavailable, match='locked'):
        hasty.put(b'y', 1, NOON, NOON)  # nor does a writer wait for ever
    hasty.close()
    held = threading.Thread(target=store.put, args=(b'z', 1, NOON, NOON))
    held.start()  # waits, as a writer of this process
    assert store.latest([b'x']) == 7
    writer.stdin.write('\n')
    writer.stdin.flush()
    assert writer.stdout.readline() == 'done\n'
    held.join()
    assert store.latest([b'x']) == 0
    writer.communicate('\n', timeout=60)


def test_writers_of_one_process_wait_together(path):
    """Who waits behind a thread of this process waits no longer for that."""
    store = SQLiteStore(path, patience=0.05)
    store.prepare()
    said = []

    def revoke():
        try:
            store.put(b'x', 1, NOON, NOON)
        except RevocationUnavailable as error:
            said.append(str(error))
    with store._writer.use():
        thread = threading.Thread(target=revoke)
        thread.start()
        thread.join(PATIENCE)
        assert said == [f'the revocation list sqlite:{path}: the database is locked, and '
                        'others wait for it']
    store.close()


def test_a_fault_is_no_reason_to_wait(store, monkeypatch):
    """Only a lock is waited for."""
    store.put(b'x', 1, NOON, NOON)
    monkeypatch.setattr(time, 'monotonic', iter([0]).__next__)  # it is asked once
    with store._writer.use() as connection:
        connection.execute('BEGIN')  # so that another one cannot begin
        with pytest.raises(RevocationUnavailable, match='within a transaction'):
            store.put(b'x', 1, NOON, NOON)


def test_the_log_does_not_grow(store, path):
    """Readers keep no checkpoint from starting the log of the file afresh."""
    for n in range(1500):
        store.put(b'%d' % n, 1, NOON, NOON)
        store.latest([b'x'])
    assert os.stat(path + '-wal').st_size < 8 * 2**20


def test_writers_take_turns(path):
    """Several processes that revoke at once all succeed."""
    processes = [run('''
        sys.stdin.readline()
        for n in range(50):
            store.put(b'%s %d' % (sys.argv[2].encode(), n), 7, 2, 1)
        store.close()
        ''', path, number) for number in range(4)]
    for process in processes:
        process.stdin.write('\n')
        process.stdin.flush()
    for process in processes:
        finish(process)
    store = SQLiteStore(path)
    assert all(store.latest([b'%d %d' % (number, n)]) == 7
               for number in range(4) for n in range(50))
    store.close()


# -- expiry ------------------------------------------------------------------

def count(store):
    with store._reader.use() as connection:
        [[number]] = connection.execute('SELECT count(*) FROM revoked').fetchall()
    return number


def test_entries_go_after_their_expiry(store):
    """What no cookie can bring back is dropped within two hours, and nothing else."""
    for n in range(100):
        store.put(b'old %d' % n, 1, NOON + 100, NOON)
    store.put(b'young', 1, NOON + SWEEP_EVERY + 1, NOON)
    store.put(b'later', 1, NOON + 10**6, NOON + SWEEP_EVERY)
    assert count(store) == 102
    store.put(b'later', 1, NOON + 10**6, NOON + 2 * SWEEP_EVERY)
    assert count(store) == 2
    store.put(b'later', 1, NOON + 10**6, NOON + 3 * SWEEP_EVERY - 1)
    assert count(store) == 2  # not yet an hour
    store.put(b'later', 1, NOON + 10**6, NOON + 3 * SWEEP_EVERY)
    assert count(store) == 1


def test_an_entry_that_is_put_again_stays(store):
    """The later expiry counts."""
    store.put(b'x', 1, NOON + 10**6, NOON)
    store.put(b'x', 1, NOON + 100, NOON)
    for hour in range(4):
        store.put(b'y', 1, NOON + 10**6, NOON + hour * SWEEP_EVERY)
    assert store.latest([b'x']) == 1


@pytest.mark.parametrize('step', [10**8, -10**8, SWEEP_EVERY])
def test_a_clock_that_was_wrong(store, path, step):
    """A clock that was wrong for less than an hour, ahead or behind, brings no login
    back, in whatever process, and does not stop the sweeping."""
    store.put(b'x', 1, NOON + 10_000, NOON)
    for late in (1, 60, SWEEP_EVERY - 2):
        finish(run('store.put(b"wrong", 1, int(sys.argv[2]) + 1, int(sys.argv[2]))',
                   path, NOON + step + late))
    store.put(b'y', 1, NOON + 10**9, NOON + SWEEP_EVERY)
    assert store.latest([b'x']) == 1
    for hour in (3, 4, 5):
        store.put(b'y', 1, NOON + 10**9, NOON + hour * SWEEP_EVERY)
    assert store.latest([b'x']) == 0
    assert store.latest([b'y']) == 1


# -- processes that end, and that fork ---------------------------------------

def test_killed_at_any_point(path):
    """Processes are killed while they revoke, over and over: whatever was
    acknowledged is there, and the file is whole."""
    acknowledged = []
    for kill in range(40):
        process = run('''
            n = 0
            while True:
                store.put(b'%s %d' % (sys.argv[2].encode(), n), 7, 10**9, 1 + n * 4000)
                print(n, flush=True)
                n += 1
            ''', path, kill)
        for _ in range(2 + kill % 5):
            process.stdout.readline()
        time.sleep(kill % 7 * 0.0003)
        process.kill()
        process.wait()
        lines = process.stdout.read().splitlines(keepends=True)
        acknowledged += [b'%d %d' % (kill, n) for n in range(2 + kill % 5)]
        acknowledged += [b'%d %d' % (kill, int(line)) for line in lines if line.endswith('\n')]
        process.stdout.close(), process.stdin.close()
    store = SQLiteStore(path)
    store.prepare()
    assert len(acknowledged) > 100
    assert [name for name in acknowledged if store.latest([name]) != 7] == []
    with store._reader.use() as connection:
        assert connection.execute('PRAGMA integrity_check').fetchall() == [('ok',)]
    store.close()


@pytest.mark.skipif(not os.path.isdir('/proc/self/fd'), reason='reads /proc (Linux)')
def test_nothing_is_open_after_loading(path):
    """A server may load the ini file and fork then."""
    code = 'print([f for f in os.listdir("/proc/self/fd") if "revoked" in os.path.realpath(f"/proc/self/fd/{f}")])'
    assert finish(run(code, path)) == '[]\n'


@pytest.mark.skipif(not os.path.isdir('/proc/self/fd'), reason='reads /proc (Linux)')
def test_fork(path):
    """A process that has used the list may fork, from whatever thread and while
    others use it: no connection is open meanwhile, and all see what all revoke."""
    output = finish(run('''
        import threading
        busy = True
        def work():
            n = 0
            while busy:
                n += 1
                store.put(b'parent', n, 10**9, 1)
                store.latest([b'parent'])
        threads = [threading.Thread(target=work) for _ in range(3)]
        for thread in threads:
            thread.start()
        for child in range(10):
            pid = os.fork()
            if not pid:
                open_files = [os.path.realpath(f'/proc/self/fd/{f}') for f in os.listdir('/proc/self/fd')]
                assert not any('revoked' in each for each in open_files)
                for n in range(20):
                    store.put(b'%d %d' % (child, n), 7, 10**9, 1)
                    assert store.latest([b'%d %d' % (child, n)]) == 7
                os._exit(0)
            assert os.waitpid(pid, 0)[1] == 0
            assert all(store.latest([b'%d %d' % (child, n)]) == 7 for n in range(20))
        busy = False
        for thread in threads:
            thread.join()
        print('done')
        ''', path))
    assert output == 'done\n'


def test_nothing_is_open_across_a_fork(store):
    """What was open is closed before, whoever uses it waits meanwhile, and both go on."""
    store.put(b'x', 7, NOON, NOON)
    assert store.latest([b'x']) == 7
    user = threading.Thread(target=store.put, args=(b'x', 8, NOON, NOON))
    revocation_sqlite._close_before_fork()
    try:
        user.start()
        assert (store._reader._open, store._writer._open) == (None, None)
    finally:
        revocation_sqlite._go_on_after_fork()
    user.join(PATIENCE)
    assert store.latest([b'x']) == 8


def test_a_connection_of_another_process(store):
    """A connection that another process has opened is not used."""
    store.put(b'x', 7, NOON, NOON)
    store._writer._pid += 1
    with pytest.raises(RevocationUnavailable, match='forked'):
        store.put(b'x', 8, NOON, NOON)


def test_fork_by_c_code(path):
    """A fork that Python is not told of leaves the child without a list: it would
    have no locks of its own.  Nobody is logged in there."""
    output = finish(run('''
        import ctypes
        from paste_sessioncookie import RevocationUnavailable
        store.put(b'x', 7, 10**9, 1)
        assert store.latest([b'x']) == 7
        if not ctypes.PyDLL(None).fork():
            for ask in (store.latest, lambda names: store.put(b'x', 8, 10**9, 1)):
                try:
                    ask([b'x'])
                except RevocationUnavailable as error:
                    print(error, flush=True)
            os._exit(0)
        os.wait()
        assert store.latest([b'x']) == 7
        ''', path))
    assert output.count('forked, not by Python, while the list was open') == 2


# -- faults while it runs ----------------------------------------------------

@pytest.fixture
def bob(store, make_site, probe):
    """Somebody who is logged in."""
    visitor = Visitor(make_site(probe, revocations=store))
    probe.act = login('bob')
    visitor.get()
    probe.act = None
    visitor.get()
    assert probe.control.status == 'ok'
    return visitor


def removed(path):
    for end in ('', '-wal', '-shm'):
        os.unlink(path + end)


def emptied(path):
    removed(path)
    with open(path, 'w'):
        pass


def replaced_by_another(path):
    removed(path)
    another_database(path)


@pytest.mark.parametrize('fault', [removed, emptied, replaced_by_another],
                         ids=lambda fault: fault.__name__)
def test_the_file_is_gone(bob, probe, store, path, caplog, fault):
    """A list that is gone is no empty list: nobody is logged in until the file is
    back, or the server is started again."""
    kept = bob.cookie
    fault(path)
    bob.get()
    assert (probe.control.status, bob.cookie, bob.set_cookies) == ('unavailable', kept, [])
    probe.act = logout
    bob.get()
    assert (probe.result, bob.cookie) == (False, None)
    assert f'the revocation list sqlite:{path} fails' in caplog.text
    bob.cookie, probe.act = kept, None
    if fault is not removed:
        os.unlink(path)
    SQLiteStore(path).prepare()  # a start of the server
    bob.get()
    assert probe.control.status == 'ok'


def test_what_was_interrupted(store, path):
    """A thread that is interrupted while it revokes leaves nothing half done, and
    nobody waiting."""
    with pytest.raises(KeyboardInterrupt), store._writer.use() as connection:
        connection.execute('BEGIN IMMEDIATE')
        connection.execute('DELETE FROM swept')
        raise KeyboardInterrupt
    finish(run('store.put(b"x", 7, 2, 1); store.close()', path))
    assert store.latest([b'x']) == 7
    store.put(b'y', 7, NOON, NOON)


def test_something_else_in_the_file(store):
    """What is no time is no answer."""
    store.put(b'x', 'soon', NOON, NOON)
    with pytest.raises(RevocationUnavailable, match='no number'):
        store.latest([b'x'])


def test_a_full_disk(store):
    """A revocation that could not be written is not acknowledged, and look-ups go on."""
    store.put(b'x', 7, NOON, NOON)
    with store._writer.use() as connection:
        [[pages]] = connection.execute('PRAGMA page_count').fetchall()
        connection.execute(f'PRAGMA max_page_count = {pages}')
    with pytest.raises(RevocationUnavailable, match='full'):
        for n in range(1000):
            store.put(b'%d' % n * 50, 1, NOON, NOON)
    assert store.latest([b'x']) == 7
    store.put(b'y', 7, NOON, NOON)  # over a new connection, with room
    assert store.latest([b'y']) == 7
