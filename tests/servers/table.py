"""How each server is started.

A command is that of docs/howto/servers.rst, but for the port.
"""
from __future__ import annotations

import re
import signal
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class More:
    """What is added to how a server is started: lines to the last section of its files,
    words to the command, environment variables."""

    ini: str = ''
    command: str = ''
    environment: Mapping[str, str] = field(default_factory=dict)


NOTHING = More()
NO_HEADER = re.compile(b'(?!)')
ENDS_WITH_A_CONTROL = re.compile(b'[\0-\x20]$')  # as bytes.strip() takes it
HIGH_BYTES = re.compile(b'[\x80-\xff]')

# what puts the site to /site
BY_FILTER = More(ini='prefix = /site\n')
BY_WAITRESS = More(ini='url_prefix = /site\n')
BY_GUNICORN = More(environment={'SCRIPT_NAME': '/site'})
BY_UWSGI = More(ini='mount = /site=config:%d%s\nmanage-script-name = true\n')


@dataclass(frozen=True)
class Server:
    """A way to serve development.ini.

    ``name``: of the row.  ``command``: as one types it.  ``files``: of
    docs/examples/servers; sections of ini files replace those of development.ini,
    others are copied.  ``needs``: what pip installs.  ``mount``: what puts the site to
    /site.  ``reload``: the signal that starts it anew.  ``differs``: outcomes that are
    not those of most.  ``processes``: what makes two, with the application loaded before
    the fork where the server can.  ``changes``: Cookie headers that it does not hand on as
    they are.
    """

    name: str
    command: str
    files: tuple[str, ...]
    needs: str
    mount: More = BY_FILTER
    reload: signal.Signals | None = None
    differs: Mapping[str, str] = field(default_factory=dict)
    processes: More = NOTHING
    changes: re.Pattern[bytes] = NO_HEADER


# what differs, by what it comes from
FILTER = {'stranger': 'believed', 'mounted': 'by the filter'}
ANY_SPELLING = {'other_spelling': 'believed'}
ONE_THREAD = {'profile': 'not known'}
CLOSES = {'old_keep_alive': 'closed', 'keep_alive': 'closed'}
GRACEFUL = {'restarts': 'no gap'}
CHEROOT = {**FILTER, **ANY_SPELLING, 'two_lines': 'last', 'two_lines_of_ours': 'linus: ok',
           'old_keep_alive': 'closed'}

SERVERS = [
    Server('paste-http', 'paster serve development.ini', ('paste-http.ini', 'prefix.ini'),
           'PasteScript', differs={**FILTER, **ANY_SPELLING, **CLOSES}),
    Server('paste-http-1.1', 'paster serve development.ini',
           ('paste-http-1.1.ini', 'prefix.ini'), 'PasteScript',
           differs={**FILTER, **ANY_SPELLING}),
    Server('waitress', 'paster serve development.ini', ('waitress.ini',), 'waitress',
           BY_WAITRESS),
    Server('pserve', 'pserve development.ini', ('waitress.ini',), 'pyramid', BY_WAITRESS),
    Server('gunicorn-paste', 'gunicorn --paste development.ini', ('gunicorn.conf.py',),
           'gunicorn', BY_GUNICORN, signal.SIGHUP, {**ONE_THREAD, **CLOSES, **GRACEFUL},
           More(command=' --preload --workers 2')),
    Server('gunicorn-paste-threads', 'gunicorn --paste development.ini --threads 8',
           ('gunicorn.conf.py',), 'gunicorn', BY_GUNICORN, signal.SIGHUP, GRACEFUL),
    Server('gunicorn-egg', 'paster serve development.ini', ('gunicorn-sync.ini',),
           'gunicorn', BY_GUNICORN, signal.SIGHUP, {**ONE_THREAD, **CLOSES, **GRACEFUL}),
    Server('gunicorn-egg-threads', 'paster serve development.ini', ('gunicorn.ini',),
           'gunicorn', BY_GUNICORN, signal.SIGHUP, GRACEFUL, More(ini='workers = 2\n')),
    Server('uwsgi', 'uwsgi --ini-paste development.ini', ('uwsgi.ini',), 'uwsgi',
           BY_UWSGI, signal.SIGHUP,
           {'stranger': 'believed', **ANY_SPELLING, **CLOSES, **GRACEFUL},
           More(ini='processes = 2\n')),
    Server('mod_wsgi', 'mod_wsgi-express start-server development.ini '
           '--application-type paste --port 8080 '
           '--trust-proxy-header X-Forwarded-Proto --trust-proxy 127.0.0.1', (), 'mod_wsgi',
           More(command=' --mount-point /site'),
           processes=More(command=' --processes 2')),
    Server('gearbox', 'gearbox serve -c development.ini', ('gearbox.ini', 'prefix.ini'),
           'gearbox', differs=CHEROOT, changes=ENDS_WITH_A_CONTROL),
    Server('cheroot', 'cheroot wsgi --bind 127.0.0.1:8080', ('wsgi.py', 'prefix.ini'),
           'cheroot', differs=CHEROOT, changes=ENDS_WITH_A_CONTROL),
    Server('bjoern', 'python serve_bjoern.py', ('wsgi.py', 'serve_bjoern.py', 'prefix.ini'),
           'bjoern', differs={**FILTER, **ONE_THREAD, 'two_lines': 'nowhere',
                              'two_lines_of_ours': 'nobody: bad-signature'}),
    Server('granian', 'granian --interface wsgi --port 8080 granian_wsgi:application',
           ('wsgi.py', 'granian_wsgi.py'), 'granian',
           More(command=' --url-path-prefix /site'), signal.SIGHUP,
           {**GRACEFUL, **ANY_SPELLING, 'high_bytes': 'lost', 'two_lines': 'first and last',
            'two_lines_of_ours': 'nobody: conflict'},
           More(command=' --workers 2'), HIGH_BYTES),
]
