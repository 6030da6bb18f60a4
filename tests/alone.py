"""
One extra by itself
===================

``python tests/alone.py NAME``, in an environment where the library and the extra NAME
are installed and nothing else; NAME is ``library`` for none.  Imports what there is,
and has a conversation: a session of each of two visitors, a login, a log-out.
``tests/matrix.py`` makes the environments.
"""
from __future__ import annotations

import atexit
import importlib
import importlib.util
import os
import pkgutil
import subprocess
import sys
import tempfile
import time
from io import BytesIO
from pathlib import Path
from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator

from paste.deploy import loadapp

import paste_sessioncookie
from paste_sessioncookie import SessionCookieHandler

SITE = """
[pipeline:main]
pipeline = session own app
[filter:session]
use = egg:paste_sessioncookie#session_cookie
secret = generate:%(here)s/session.secret
{options}
[filter:own]
use = egg:paste_sessioncookie#namespace
namespace = shop
login = true
[app:app]
paste.app_factory = alone:make_app
"""


class Visitor:
    """A browser with one cookie."""

    def __init__(self, app):
        self.app = validator(app)
        self.cookie = ''

    def get(self, query=''):
        environ = {'QUERY_STRING': query, 'wsgi.url_scheme': 'https', 'wsgi.input': BytesIO(),
                   'HTTP_COOKIE': self.cookie}
        setup_testing_defaults(environ)
        answers = []

        def start_response(status, headers, exc_info=None):
            answers[:] = [status, headers]
            return [].append
        response = self.app(environ, start_response)
        body = b''.join(response).decode('ascii')
        response.close()
        status, headers = answers
        assert status == '200 OK', (status, body)
        for name, value in headers:
            if name == 'Set-Cookie':
                assert value.startswith('__Host-site_session='), value
                self.cookie = '' if 'Max-Age=0' in value else value.partition(';')[0]
        return body


def count(environ, session):
    """What applications do: log in, log out, or count visits in their session."""
    control = environ['session.control']
    if environ['QUERY_STRING'] == 'login':
        control.login('bob')
    elif environ['QUERY_STRING'] == 'logout':
        control.logout()
    else:
        session['visits'] = session.get('visits', 0) + 1
        return f'{environ.get("REMOTE_USER", "nobody")} {session["visits"]}'
    return 'done'


def converse(app):
    """The answers are ``user count``, the count of visits in the framework's session."""
    visitor, other = Visitor(app), Visitor(app)
    expect('nobody 1', visitor)
    expect('nobody 2', visitor)
    expect('nobody 1', other)
    visitor.get('login')
    copied = visitor.cookie
    expect('bob 1', visitor)
    expect('bob 2', visitor)
    expect('nobody 2', other)
    visitor.get('logout')
    expect('nobody 1', visitor)
    visitor.cookie = copied
    expect('nobody 1', visitor)


def expect(text, visitor):
    found = visitor.get()
    assert found == text, f'{found!r} instead of {text!r}'


# -- what stands alone: each takes a folder and gives a WSGI application -------

def make_app(global_conf, **local_conf):
    """An application that has no framework, with dictionaries for sessions."""
    sessions = {}

    def application(environ, start_response):
        text = count(environ, sessions.setdefault(str(environ['session.id']), {}))
        start_response('200 OK', [('Content-Type', 'text/plain')])
        return [text.encode('ascii')]
    return application


def from_ini(folder, *options):
    ini = Path(folder, 'site.ini')
    ini.write_text(SITE.format(options='\n'.join(options)), encoding='ascii')
    return loadapp(f'config:{ini}')


def library(folder):
    for name in ('setuptools', 'pkg_resources', 'paste.script'):
        try:
            found = importlib.util.find_spec(name)
        except ModuleNotFoundError:
            found = None
        assert found is None, f'{name} is there, too'
    return from_ini(folder)


def login(folder):
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import (
        Encoding, NoEncryption, PrivateFormat)
    pem = Path(folder, 'login.pem')
    pem.touch(0o600)
    pem.write_bytes(Ed25519PrivateKey.generate().private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return from_ini(folder, f'login_private_key = file:{pem}')


def redis(folder):
    return from_ini(folder, f'revocation = unix://{start_redis(folder)}')


def paster(folder):
    from_ini(folder)
    paster = Path(sys.executable).with_name('paster')
    shown = subprocess.run(
        [paster, 'request', 'site.ini', '/'], cwd=folder, check=True, stdout=subprocess.PIPE,
        env={'PYTHONPATH': str(Path(__file__).parent)})
    assert shown.stdout == b'nobody 1', shown
    return from_ini(folder)


def beaker(folder):
    from paste_sessioncookie.frameworks.beaker import SessionMiddleware

    def application(environ, start_response):
        session = environ['beaker.session']
        text = count(environ, session)
        session.save()
        start_response('200 OK', [('Content-Type', 'text/plain')])
        return [text.encode('ascii')]
    return SessionMiddleware(application, {'session.type': 'file', 'session.data_dir': folder})


def cherrypy(folder):
    import cherrypy
    from cherrypy.lib import sessions

    from paste_sessioncookie.frameworks.cherrypy import SiteSessions
    cherrypy.tools.sessions = SiteSessions()

    class Root:
        @cherrypy.expose
        def index(self, **words):
            return count(cherrypy.request.wsgi_environ, cherrypy.session)
    return cherrypy.Application(Root(), None, {'/': {
        'tools.sessions.on': True, 'tools.sessions.storage_class': sessions.FileSession,
        'tools.sessions.storage_path': folder, 'request.show_tracebacks': True}})


def django(folder):
    import types

    import django
    from django.conf import settings
    from django.core.wsgi import get_wsgi_application
    from django.http import HttpResponse
    from django.urls import path

    def view(request):
        return HttpResponse(count(request.META, request.session))
    urls = types.ModuleType('urls')
    urls.urlpatterns = [path('', view)]
    settings.configure(
        ROOT_URLCONF=urls,
        ALLOWED_HOSTS=['*'], SECRET_KEY=os.urandom(32).hex(), SESSION_FILE_PATH=folder,
        SESSION_ENGINE='django.contrib.sessions.backends.file',
        MIDDLEWARE=['paste_sessioncookie.frameworks.django.SessionMiddleware'])
    django.setup()
    return get_wsgi_application()


def flask(folder):
    from cachelib import FileSystemCache
    from flask import Flask, request, session

    from paste_sessioncookie.frameworks.flask import SiteSessions
    app = Flask('alone')
    app.config['SITE_SESSION_CACHE'] = FileSystemCache(folder)
    SiteSessions(app)
    app.add_url_rule('/', view_func=lambda: count(request.environ, session))
    return app


def configured_pyramid(**settings):
    from pyramid.config import Configurator
    from pyramid.response import Response

    def view(request):
        return Response(count(request.environ, request.session))
    with Configurator(settings=settings) as config:
        config.add_route('any', '/*any')
        config.add_view(view, route_name='any')
        return config.make_wsgi_app()


def pyramid(folder):
    return configured_pyramid(**{
        'pyramid.includes': 'paste_sessioncookie.frameworks.pyramid',
        'site_session.store': f'file:{folder}'})


def pyramid_beaker(folder):
    return configured_pyramid(**{
        'pyramid.includes': 'paste_sessioncookie.frameworks.pyramid_beaker',
        'session.type': 'file', 'session.data_dir': folder})


def pyramid_redis(folder):
    return configured_pyramid(**{
        'pyramid.includes': 'paste_sessioncookie.frameworks.pyramid_redis',
        'redis.sessions.redis_url': f'unix://{start_redis(folder)}'})


def turbogears(folder):
    import tg

    from paste_sessioncookie.frameworks.turbogears import SiteSessions

    class Root(tg.TGController):
        @tg.expose(content_type='text/plain')
        def index(self, **words):
            text = count(tg.request.environ, tg.session)
            tg.session.save()
            return text
    config = tg.MinimalApplicationConfigurator()
    config.register(SiteSessions)
    config.update_blueprint({'root_controller': Root(), 'session.type': 'file',
                             'session.data_dir': folder})
    return config.make_wsgi_app()


def start_redis(folder):
    """The path of the socket of a Redis, which ends with this program."""
    path = os.path.join(folder, 'socket')
    server = subprocess.Popen(['redis-server', '--port', '0', '--unixsocket', path,
                               '--save', '', '--dir', folder], stdout=subprocess.DEVNULL)
    atexit.register(server.communicate)
    atexit.register(server.terminate)
    end = time.monotonic() + 20
    while not os.path.exists(path):
        assert time.monotonic() < end and server.poll() is None
        time.sleep(0.01)
    return path


WITHOUT_FILTER = ('beaker', 'cherrypy', 'django', 'flask', 'pyramid', 'pyramid-beaker',
                  'pyramid-redis', 'turbogears')


def import_all(package):
    """Import what does not belong to a framework."""
    for module in pkgutil.iter_modules(package.__path__, package.__name__ + '.'):
        if module.name.rpartition('.')[2] not in ('__main__', 'frameworks', 'jws'):
            importlib.import_module(module.name)


def main(name):
    assert 'site-packages' in paste_sessioncookie.__file__, paste_sessioncookie.__file__
    import_all(paste_sessioncookie)
    with tempfile.TemporaryDirectory() as folder:
        app = globals()[name.replace('-', '_')](folder)
        if name in WITHOUT_FILTER:
            app = SessionCookieHandler(app, secret=os.urandom(32))
        converse(app)
    print(f'{name}: alone, it works')


if __name__ == '__main__':
    main(sys.argv[1])
