"""The tests of pyramid_session_redis, natively and through us.

    python tests/peers/pyramid_session_redis.py
"""
from __future__ import annotations

import contextlib
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import common

PYRAMID_SESSION_REDIS = 'pyramid_session_redis==1.8.1'

SETTINGS = 'the settings stay as they are written; a converted copy is used'
COOKIE = 'what is about the cookie (its secret, attributes, exceptions) is the filter\'s'
NOT_DELETED = ('the cookie is the whole site\'s: the end of one session deletes no cookie, '
               'and gives this session a new ID if it is written again')
ADOPTED = 'an ID that Redis does not know is adopted: the filter vouches for it'
EMPTY = ('a session without data has no record; natively so, too, but only after the response '
         'callback, which this test leaves out')
LAZY = 'a session has its ID from the beginning: the filter\'s, never LazyCreateSession'
PLACEHOLDER = ('no placeholder reserves an ID, which is unique as it comes: a new session '
               'is written once')

CONFIG = 'tests.test_config.Test_includeme'
FACTORY = 'tests.test_factory.TestRedisSessionFactory'
SESSION = 'tests.test_session.TestRedisSession'

EXPECTED = {
    **common.expect(SETTINGS, (f'{CONFIG}_simple.test_includeme_{name}' for name in (
        'client_callable', 'id_generator', 'invalid_logger', 'serialize_deserialize'))),
    **common.expect(COOKIE, (
        f'{CONFIG}_advanced.test_fails__cookiesigner__secret',
        f'{CONFIG}_advanced.test_fails__no_cookiesigner__no_secret',
        f'{FACTORY}_Invalid.test_fails__cookiesigner__secret',
        f'{FACTORY}_Invalid.test_fails__no_cookiesigner__no_secret',
        f'{FACTORY}_loggedExceptions.test_logger_InvalidSession_NoSessionCookie',
        *(f'{FACTORY}.test_{name}' for name in (
            'check_response', 'check_response_custom',
            'existing_session_adjust_cookie_expires',
            'existing_session_adjust_cookie_max_age',
            'existing_session_session_after_invalidate_coe_False_exception',
            'new_session_cookie_on_exception_false_exception',
            'new_session_session_after_invalidate_coe_False_exception')))),
    **common.expect(NOT_DELETED, (f'{FACTORY}.test_{name}' for name in (
        'existing_session', 'existing_session_invalidate',
        'existing_session_invalidate_nodupe',
        'existing_session_multiple_invalidates',
        'existing_session_multiple_invalidates_no_new_session_in_between',
        'factory_parameters_used_to_delete_cookie'))),
    **common.expect(NOT_DELETED, (f'tests.test_pyramid.Test_InvalidateEmptySession_{name}'
                                  for name in ('True.test_configured_true',
                                               'Unconfigured.test_not_configured'))),
    **common.expect(ADOPTED, (f'{FACTORY}.test_session_id_not_in_redis',)),
    **common.expect(EMPTY, (f'{FACTORY}.test_adjusted_session_timeout_persists{name}'
                            for name in ('', '__legacy'))),
    **common.expect(LAZY, (
        *(f'{FACTORY}_expiries_v1_4_x.test_scenario_flow__cookie_{name}' for name in 'ab'),
        *(f'{SESSION}.test_{name}_access_after_invalidate_creates_new_session' for name in (
            'created', 'managed_dict', 'new_attribute', 'session_id', 'timeout')))),
    **common.expect(PLACEHOLDER, (
        f'{SESSION}.test_invalidate_new_session_invalidate_new_session',
        f'{SESSION}.test_new_session_after_invalidate',
        *(f'{FACTORY}_expiries_v1_4_x.test_scenario_new__{name}' for name in (
            'noTimeout_noTrigger_noPythonExpires_noRedisTtl',
            'noTimeout_noTrigger_noPythonExpires_setRedisTtl',
            'noTimeout_noTrigger_pythonExpires_noRedisTtl',
            'noTimeout_noTrigger_pythonExpires_setRedisTtl',
            'noTimeout_trigger_pythonExpires_noRedisTtl',
            'noTimeout_trigger_pythonExpires_setRedisTtl',
            'noTimeout_trigger_pythonNoExpires_noRedisTtl',
            'noTimeout_trigger_pythonNoExpires_setRedisTtl',
            'timeout_noTrigger_noPythonExpires_noRedisTtl',
            'timeout_noTrigger_noPythonExpires_setRedisTtl_classic',
            'timeout_noTrigger_noPythonExpires_setRedisTtl_readheavy',
            'timeout_noTrigger_pythonExpires_noRedisTtl',
            'timeout_noTrigger_pythonExpires_setRedisTtl',
            'timeout_trigger_pythonExpires_noRedisTtl',
            'timeout_trigger_pythonExpires_setRedisTtl',
            'timeout_trigger_pythonNoExpires_noRedisTtl',
            'timeout_trigger_pythonNoExpires_setRedisTtl')))),
}


def run(where: Path) -> bool:
    """Run the tests of pyramid_session_redis, with a Redis server of our own."""
    place = common.prepare(where, PYRAMID_SESSION_REDIS, 'pytest', 'waitress', 'webtest')
    with redis(where) as socket:
        def tests(**environment: str) -> common.Outcome:
            return common.pytest(place, 'pyramid_session_redis_plugin', 'tests',
                                 REDIS_SOCKET=socket, **environment)
        return common.compare(PYRAMID_SESSION_REDIS, tests(), tests(THROUGH_US='1'), EXPECTED)


@contextlib.contextmanager
def redis(where: Path) -> Iterator[Path]:
    """A Redis server, and the socket that it listens to."""
    socket = where / 'redis.socket'
    server = subprocess.Popen(
        ['redis-server', '--port', '0', '--unixsocket', str(socket), '--save', '',
         '--appendonly', 'no', '--dir', str(where)], stdout=subprocess.DEVNULL)
    try:
        end = time.monotonic() + 30
        while not socket.exists():
            assert server.poll() is None and time.monotonic() < end, 'no Redis'
            time.sleep(0.1)
        yield socket
    finally:
        server.terminate()
        server.wait(10)


if __name__ == '__main__':
    common.main(run)
