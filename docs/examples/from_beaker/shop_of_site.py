"""The same shop, with the site's login."""
from paste.request import parse_dict_querystring


def shop(environ, start_response):
    session = environ['beaker.session']
    control = environ['session.control']
    query = parse_dict_querystring(environ)
    if environ['PATH_INFO'] == '/login':  # after a look at the password
        control.login(query['user'])
    elif environ['PATH_INFO'] == '/buy':
        session['basket'] = [*session.get('basket', []), query['item']]
        session.save()
    elif environ['PATH_INFO'] == '/logout':
        control.logout()
    user = control.identity.user if control.identity else 'nobody'
    basket = session.get('basket', [])
    start_response('200 OK', [('Content-Type', 'text/plain')])
    return [' '.join([user, *basket]).encode()]


def make_app(global_conf):
    return shop
