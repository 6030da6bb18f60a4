"""Where users log in, for the whole site."""
from pyramid.config import Configurator
from pyramid.csrf import get_csrf_token
from pyramid.httpexceptions import HTTPSeeOther
from pyramid.response import Response
from pyramid.security import forget, remember

PASSWORDS = {'bob': 'builder'}  # yours are hashed
GROUPS = {'bob': ['staff']}


FORM = """<form method="post" action="{action}">
<input type="hidden" name="csrf_token" value="{token}">{fields}
<button>{label}</button></form>"""
FIELDS = '<input name="user"><input name="password" type="password">'


def form(request):
    token = get_csrf_token(request)
    if request.authenticated_userid:
        return Response(FORM.format(
            action=request.route_path('logout'), token=token, fields='', label='Log out'))
    return Response(FORM.format(
        action=request.route_path('login'), token=token, fields=FIELDS, label='Log in'))


def log_in(request):
    user = request.POST.get('user', '')
    if user not in PASSWORDS or PASSWORDS[user] != request.POST.get('password'):
        return form(request)
    headers = remember(request, user, tokens=GROUPS.get(user, ()))
    return HTTPSeeOther('/shop/', headers=headers)


def log_out(request):
    return HTTPSeeOther('/shop/', headers=forget(request))


def main(global_config, **settings):
    with Configurator(settings=settings) as config:
        config.set_default_csrf_options(require_csrf=True)
        config.add_route('login', '/login')
        config.add_route('logout', '/logout')
        config.add_view(form, route_name='login', request_method='GET')
        config.add_view(log_in, route_name='login', request_method='POST')
        config.add_view(log_out, route_name='logout', request_method='POST')
        return config.make_wsgi_app()
