"""A shop as it was written for Beaker: the user is in the session."""
from paste.request import parse_dict_querystring


def shop(environ, start_response):
    session = environ['beaker.session']
    query = parse_dict_querystring(environ)
    if environ['PATH_INFO'] == '/login':  # after a look at the password
        session['user'] = query['user']
        session.regenerate_id()
        session.save()
    elif environ['PATH_INFO'] == '/buy':
        session['basket'] = [*session.get('basket', []), query['item']]
        session.save()
    elif environ['PATH_INFO'] == '/logout':
        session.delete()
    user, basket = session.get('user', 'nobody'), session.get('basket', [])
    start_response('200 OK', [('Content-Type', 'text/plain')])
    return [' '.join([user, *basket]).encode()]


def make_app(global_conf):
    return shop
