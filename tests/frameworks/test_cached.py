"""cached.py: sessions in a cache of cachelib."""
import logging
import pickle
import sys
import types

import pytest
from cachelib import FileSystemCache, NullCache, RedisCache, SimpleCache
from redis import Redis

from paste_sessioncookie import ConfigError
from paste_sessioncookie.frameworks.cached import CacheStore

ID = 'a' * 40


@pytest.fixture(params=['simple', 'files', 'redis'])
def cache(request, tmp_path):
    """Each of the caches that run here, empty."""
    if request.param == 'simple':
        return SimpleCache(threshold=100_000)
    if request.param == 'files':
        return FileSystemCache(str(tmp_path), threshold=100_000)
    client = Redis(unix_socket_path=request.getfixturevalue('redis_socket'))
    client.flushdb()
    return RedisCache(client, key_prefix='mine:')


def test_insert_load_update_delete(cache):
    """What is inserted is loaded; only what is there is updated."""
    store = CacheStore(cache, 60)
    assert store.load(ID) is None
    assert not store.update(ID, {'color': 'blue'})
    assert store.load(ID) is None
    store.insert(ID, {'color': 'blue'})
    assert store.update(ID, {'color': 'red'})
    assert store.load(ID) == {'color': 'red'}
    store.insert(ID, {'color': 'green'})
    assert store.load(ID) == {'color': 'green'}
    store.delete(ID)
    assert store.load(ID) is None
    store.delete(ID)


def test_keys_have_the_prefix(cache):
    """Two frameworks can share a cache."""
    one, other = CacheStore(cache, 60, prefix='one:'), CacheStore(cache, 60, prefix='two:')
    one.insert(ID, {'color': 'blue'})
    assert other.load(ID) is None
    assert cache.get('one:' + ID) == {'color': 'blue'}


@pytest.mark.parametrize('write', [CacheStore.insert, CacheStore.update])
def test_redis_forgets_in_time(redis_socket, write):
    """Each write counts the timeout anew."""
    client = Redis(unix_socket_path=redis_socket)
    store = CacheStore(RedisCache(client), 60)
    store.insert(ID, {})
    write(store.lasting(3600), ID, {'color': 'blue'})
    assert 3590 < client.ttl('session:' + ID) <= 3600


def test_redis_updates_in_one_step(redis_socket, monkeypatch):
    """There is no moment in which an ended session could come back."""
    client = Redis(unix_socket_path=redis_socket)
    store = CacheStore(RedisCache(client), 60)
    store.insert(ID, {'color': 'blue'})
    # all that is read before is out of date
    monkeypatch.setattr(RedisCache, 'has', lambda *arguments: True)
    store.delete(ID)
    assert not store.update(ID, {'color': 'red'})
    assert store.load(ID) is None


class Basket:
    """Something that can be pickled, while its module has it."""


def test_a_class_that_is_gone(cache, caplog, monkeypatch):
    """A session that cannot be read after a change of the application begins
    anew, and the log says why."""
    store = CacheStore(cache, 60)
    shop = types.ModuleType('shop')
    shop.Basket = type('Basket', (), {'__module__': 'shop'})
    monkeypatch.setitem(sys.modules, 'shop', shop)
    store.insert(ID, {'basket': shop.Basket()})
    assert type(store.load(ID)['basket']) is shop.Basket
    del shop.Basket
    assert store.load(ID) is None
    assert 'cannot be read and begins anew: AttributeError' in caplog.text
    assert ID not in caplog.text


def test_a_class_that_was_changed(redis_socket, caplog):
    """What the class of today cannot be made of is a session that begins anew."""
    client = Redis(unix_socket_path=redis_socket)
    client.set('session:' + ID, b'!cdatetime\ndate\n(tR.')
    assert CacheStore(RedisCache(client), 60).load(ID) is None
    assert 'begins anew: TypeError' in caplog.text


def test_what_is_no_session(cache):
    """A value of somebody else's is none."""
    cache.set('session:' + ID, 5)
    assert CacheStore(cache, 60).load(ID) is None


def test_what_cannot_be_pickled(cache):
    """It is the writer who is told, not a later reader."""
    store = CacheStore(cache, 60)
    store.insert(ID, {'color': 'blue'})
    basket = Basket()
    basket.__class__ = type('Basket', (), {'__module__': __name__})  # not the one there
    with pytest.raises((TypeError, pickle.PicklingError), match='pickle'):
        store.update(ID, {'basket': basket})
    assert store.load(ID) == {'color': 'blue'}


def test_a_full_disk(tmp_path, monkeypatch):
    """A cache that says that it kept nothing is believed."""
    cache = FileSystemCache(str(tmp_path / 'sessions'), threshold=100_000)
    store = CacheStore(cache, 60)
    (tmp_path / 'sessions').rename(tmp_path / 'elsewhere')
    with pytest.raises(RuntimeError, match='did not keep'):
        store.insert(ID, {'color': 'blue'})


@pytest.mark.parametrize('cache, timeout, fault', [
    (None, 60, 'cache: missing; it takes a cache of cachelib'),
    ('sessions', 60, 'cache: a str is none; it takes a cache of cachelib'),
    (NullCache(), 60, 'cache: NullCache keeps nothing'),
    (SimpleCache(), 0, 'timeout = 0: it takes a number of seconds above 0'),
])
def test_faults(cache, timeout, fault):
    """What cannot work is an error where it is configured."""
    with pytest.raises(ConfigError, match=fault):
        CacheStore(cache, timeout)


def test_all_faults_at_once():
    with pytest.raises(ConfigError) as caught:
        CacheStore(None, -1, option='STORE')
    assert [fault.partition(':')[0] for fault in caught.value.faults] == [
        'STORE', 'timeout = -1']


@pytest.mark.parametrize('make, words', [
    (lambda path: SimpleCache(), 'SimpleCache keeps 500 sessions at most'),
    (lambda path: FileSystemCache(path), 'FileSystemCache keeps 500 sessions at most'),
    (lambda path: FileSystemCache(path, threshold=0), 'never removes'),
])
def test_a_cache_that_keeps_few(make, words, tmp_path, caplog):
    """Of sessions that will be lost one hears at load."""
    CacheStore(make(str(tmp_path)), 60)
    assert words in caplog.text
    assert 'threshold=100_000' in caplog.text


def test_a_cache_that_keeps_many(cache, caplog):
    CacheStore(cache, 60)
    assert not [each for each in caplog.records if each.levelno >= logging.WARNING]


@pytest.mark.parametrize('make', [
    lambda path, threshold: SimpleCache(threshold=threshold),
    lambda path, threshold: FileSystemCache(path, threshold=threshold),
], ids=['simple', 'files'])
def test_a_threshold_loses_sessions(make, tmp_path):
    """What the warning is about: a session that is not over is dropped."""
    cache = make(str(tmp_path), 20)
    store = CacheStore(cache, 3600)
    for number in range(40):
        store.insert(f'{number:040x}', {})
    assert sum(store.load(f'{number:040x}') is not None for number in range(40)) <= 21
