"""What the ini files of configs/pipelines/ name: what frameworks have at these seams.

All applications do what the query string says, and tell what they saw, as in
``configapps``.
"""
import json
import os

import repoze.who.middleware
import repoze.who.config
import tg
from beaker.middleware import SessionMiddleware
from configapps import act, facts, make_app
from OFS.SimpleItem import SimpleItem
from paste.urlmap import urlmap_factory
from pyramid.config import Configurator
from zExceptions import Redirect

from paste_sessioncookie.frameworks.turbogears import SiteSessions

__all__ = ['make_app', 'urlmap_factory']


# -- OpenStack ---------------------------------------------------------------

def pipeline_factory(loader, global_conf, **lists):
    """The word list that the service's configuration names, as Nova does it."""
    *filters, app = lists[global_conf.get('auth_strategy', 'keystone')].split()
    filters = [loader.get_filter(name) for name in filters]
    app = loader.get_app(app)
    for each in reversed(filters):
        app = each(app)
    return app


def fault_factory(global_conf, **local_conf):
    """A filter that lets no exception out."""
    def fault_filter(app):
        def fault_wrap(environ, start_response):
            try:
                return app(environ, start_response)
            except Exception as error:
                start_response('500 Internal Server Error', [('Content-Type', 'text/plain')])
                return [str(error).encode('utf-8')]
        return fault_wrap
    return fault_filter


def context_factory(find_user):
    """A filter factory: who the request is of; 401 for nobody."""
    def factory(global_conf, **local_conf):
        def context_filter(app):
            def context(environ, start_response):
                environ['compute.context'] = find_user(environ)
                if environ['compute.context'] is None:
                    start_response('401 Unauthorized', [('Content-Type', 'text/plain')])
                    return [b'']
                return app(environ, start_response)
            return context
        return context_filter
    return factory


def token_user(environ):
    return environ.get('HTTP_X_USER_ID')


def site_user(environ):
    return environ.get('REMOTE_USER')


def given_user(environ):
    return environ.get('HTTP_X_AUTH_TOKEN', 'admin:admin').partition(':')[0]


keystone_context_factory = context_factory(token_user)
site_context_factory = context_factory(site_user)
noauth_factory = context_factory(given_user)


def make_versions(global_conf, **local_conf):
    """An application that asks nobody's name."""
    def versions(environ, start_response):
        start_response('300 Multiple Choices', [('Content-Type', 'application/json')])
        return [b'{"versions": []}']
    return versions


def make_compute(global_conf, **local_conf):
    """An application that knows of users by the context alone."""
    def compute(environ, start_response):
        saw = act(environ) if 'session.control' in environ else {}
        start_response('200 OK', [('Content-Type', 'application/json')])
        return [json.dumps({**saw, 'user': environ['compute.context']}).encode('ascii')]
    return compute


# -- Pyramid, TurboGears -----------------------------------------------------

def make_pyramid(global_conf, **settings):
    def view(request):
        return {**act(request.environ), 'user': request.authenticated_userid}

    with Configurator(settings=settings) as config:
        config.add_route('any', '/*any')
        config.add_view(view, route_name='any', renderer='json')
        return config.make_wsgi_app()


class Root(tg.TGController):

    @tg.expose('json')
    def _default(self, *args, **options):
        saw = act(tg.request.environ)
        tg.session['visits'] = tg.session.get('visits', 0) + 1
        tg.session.save()
        return {**saw, 'greeting': tg.config['greeting'], 'debug': tg.config['debug']}


def make_turbogears(global_conf, **app_conf):
    config = tg.MinimalApplicationConfigurator()
    config.register(SiteSessions)
    config.update_blueprint({'root_controller': Root()})
    return config.make_wsgi_app(global_conf, app_conf)


# -- Zope --------------------------------------------------------------------

class Site(SimpleItem):
    """What is published at the root."""

    def __init__(self):
        self.id = 'site'

    def facts(self, REQUEST):
        """Published: what was seen, and done."""
        REQUEST.RESPONSE.setHeader('Content-Type', 'application/json')
        return json.dumps(act(REQUEST.environ))

    def go(self, REQUEST):
        """Published: do it, and raise a response."""
        act(REQUEST.environ)
        raise Redirect('/accounts')


# -- Pylons, CKAN ------------------------------------------------------------

class Namesakes:
    """An authenticator of repoze.who: anybody whose password is his name."""

    def authenticate(self, environ, identity):
        name = identity.get('login')
        return name if name and identity['password'] == name else None


def make_pylons(global_conf, **app_conf):
    """An application with its session and its users in middleware of its own making."""
    app = SessionMiddleware(visits, app_conf, data_dir=app_conf['cache_dir'])
    parser = repoze.who.config.WhoConfig(global_conf['here'])
    with open(app_conf['who.config_file'], encoding='ascii') as file:
        parser.parse(file)
    return repoze.who.middleware.PluggableAuthenticationMiddleware(
        app, parser.identifiers, parser.authenticators, parser.challengers,
        parser.mdproviders, parser.request_classifier, parser.challenge_decider)


def visits(environ, start_response):
    session = environ['beaker.session']
    session['visits'] = session.get('visits', 0) + 1
    session.save()
    if environ['PATH_INFO'] == '/dashboard' and 'REMOTE_USER' not in environ:
        start_response('401 Unauthorized', [('Content-Type', 'text/plain')])
        return [b'']
    return facts(environ, start_response)


def make_ckan(ini):
    """As CKAN's function of that name; it reads the file itself."""
    assert os.path.exists(ini)
    return facts
