"""Django's own tests, natively and with the site's session IDs.

    python tests/peers/django_suites.py
"""
from __future__ import annotations

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import common

DJANGO = 'Django==5.2.19' if sys.version_info < (3, 12) else 'Django==6.1.3'
SUITES = ('auth_tests', 'csrf_tests', 'messages_tests', 'middleware_exceptions',
          'sessions_tests', 'test_client', 'test_client_regress', 'view_tests')

# why each test ends differently through us
COOKIE = "it looks for Django's own session cookie, and the site's is the only one"
ADOPTED = "it asks for the record of no key, and the engine takes the visitor's ID for it"
IN_THE_COOKIE = 'an engine that keeps the session in its own cookie; such are refused'

MIDDLEWARE = 'sessions_tests.tests.SessionMiddlewareTests.'
EXPECTED = {
    **common.expect(COOKIE, (MIDDLEWARE + name for name in (
        'test_empty_session_saved',
        'test_save_every_request_with_non_empty_session_renews_session_cookie'))),
    **common.expect(COOKIE, (MIDDLEWARE + name for name in (
        'test_httponly_session_cookie', 'test_no_httponly_session_cookie',
        'test_samesite_session_cookie', 'test_secure_session_cookie',
        'test_session_delete_on_end',
        'test_session_delete_on_end_with_custom_domain_and_path')), 'error'),
    **common.expect(ADOPTED, (
        f'sessions_tests.tests.{each}.test_session_load_does_not_create_record{twin}'
        for each in ('FileSessionTests', 'FileSessionPathLibTests')
        for twin in ('', '_async'))),
    **common.expect(IN_THE_COOKIE, (
        'test_client.tests.ClientTest.test_logout_cookie_sessions',), 'error'),
    **common.expect(IN_THE_COOKIE, (
        'test_client_regress.tests.SessionEngineTests.test_login',)),
}
# what these sessions cannot do, and what is not installed
SKIPPED = (
    'Cookie backend', 'CookieSession is stored in the client',
    'Deferred annotations are Python 3.14+', 'No browsers specified',
    'argon2-cffi not installed', 'bcrypt not installed')


def run(where: Path) -> bool:
    """Django's tests of what sessions are for, natively and through us."""
    place = common.prepare(where, DJANGO, 'tblib', 'jinja2')
    common.plug_in(where, 'django_suites_plugin')
    with ThreadPoolExecutor() as pool:
        native = pool.submit(tests, place, where, 'Native')
        ours = pool.submit(tests, place, where, 'ThroughUs')
        return common.compare(DJANGO, native.result(), ours.result(), EXPECTED, SKIPPED)


def tests(place: common.Place, where: Path, runner: str) -> common.Outcome:
    """What Django's tests come to with a runner of the plugin."""
    (where / f'{runner.lower()}_settings.py').write_text(
        f"from test_sqlite import *\nTEST_RUNNER = 'django_suites_plugin.{runner}'\n")
    result, count = where / f'{runner}.json', where / f'{runner}.requests'
    done = place._replace(folder=place.folder / 'tests').run(
        'runtests.py', f'--settings={runner.lower()}_settings', '--parallel=1', '--noinput',
        *SUITES, PYTHONPATH=where, PEER_RESULT=result, PEER_REQUESTS=count)
    output = done.stdout + done.stderr
    (where / f'{runner}.log').write_text(output)
    if not result.exists():
        raise SystemExit(output)
    return common.Outcome(json.loads(result.read_text()), common.counted(count), output)


if __name__ == '__main__':
    common.main(run)
