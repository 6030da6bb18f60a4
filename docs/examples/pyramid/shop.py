"""A shop: a session before and after the login, and users of its own."""
from html import escape

from pyramid.authorization import Allow
from pyramid.config import Configurator
from pyramid.csrf import get_csrf_token
from pyramid.httpexceptions import HTTPSeeOther
from pyramid.response import Response

CUSTOMERS = {'bob': 'Bob the Builder'}  # yours are in a database

PAGE = """<p>{user} has {basket}.</p>
<form method="post" action="{action}">
<input type="hidden" name="csrf_token" value="{token}">
<input name="thing"><button>Add</button></form>
<p><a href="/accounts/login">Log in or out</a></p>"""


def make_user(identity, profile):
    """The customer for somebody who is logged in to the site, or None."""
    return CUSTOMERS.get(identity.user)


class Shop:
    __acl__ = [(Allow, 'group:staff', 'count')]

    def __init__(self, request):
        pass


def front(request):
    basket = ', '.join(request.session.get('basket', ())) or 'nothing'
    return Response(PAGE.format(
        user=escape(request.identity or 'nobody'), basket=escape(basket),
        action=request.route_path('add'), token=get_csrf_token(request)))


def add(request):
    basket = request.session.setdefault('basket', [])
    basket.append(request.POST.get('thing', ''))
    request.session.changed()
    return HTTPSeeOther(request.route_path('front'))


def count(request):
    return Response('42', content_type='text/plain')


def views(config):
    config.set_default_csrf_options(require_csrf=True)
    config.add_route('front', '/')
    config.add_route('add', '/add')
    config.add_route('count', '/count')
    config.add_view(front, route_name='front')
    config.add_view(add, route_name='add', request_method='POST')
    config.add_view(count, route_name='count', permission='count')


def main(global_config, **settings):
    with Configurator(settings=settings, root_factory=Shop) as config:
        config.include(views)
        return config.make_wsgi_app()
