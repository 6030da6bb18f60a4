"""Pyramid: the site's login is its security policy."""
from page import page
from pyramid.config import Configurator
from pyramid.csrf import get_csrf_token
from pyramid.httpexceptions import HTTPSeeOther
from pyramid.response import Response
from pyramid.security import forget


def show(request):
    token = f'<input type="hidden" name="csrf_token" value="{get_csrf_token(request)}">'
    return Response(page('Pyramid', request.authenticated_userid,
                         request.session.get('basket', []), token))


def add(request):
    request.session['basket'] = [*request.session.get('basket', []), 'a book']
    return HTTPSeeOther(request.route_path('show'))


def logout(request):
    return HTTPSeeOther(request.route_path('show'), headers=forget(request))


def make_app(global_conf, **settings):
    with Configurator(settings=settings) as config:
        config.set_default_csrf_options(require_csrf=True)
        config.add_route('show', '/')
        config.add_view(show, route_name='show', request_method='GET')
        for view in (add, logout):
            config.add_route(view.__name__, f'/{view.__name__}/')
            config.add_view(view, route_name=view.__name__, request_method='POST')
        return config.make_wsgi_app()
