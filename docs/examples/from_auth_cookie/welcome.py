"""An application as it was written for paste.auth.cookie."""
from paste.request import parse_dict_querystring


def welcome(environ, start_response):
    query = parse_dict_querystring(environ)
    if environ['PATH_INFO'] == '/login':  # after a look at the password
        environ['REMOTE_USER'] = query['user']
        environ['REMOTE_SESSION'] = 'session-of-' + query['user']
    elif environ['PATH_INFO'] == '/language':
        environ['SITE_LANGUAGE'] = query['is']
    elif environ['PATH_INFO'] == '/color':
        environ['paste.auth.cookie'].append('welcome.color')
        environ['welcome.color'] = query['is']
    elif environ['PATH_INFO'] == '/logout':
        environ['REMOTE_USER'] = ''
    saved = [f'{key}={environ[key]}' for key in environ['paste.auth.cookie']
             if environ.get(key)]
    start_response('200 OK', [('Content-Type', 'text/plain')])
    return [' '.join(sorted(saved)).encode('latin-1')]


def make_app(global_conf):
    return welcome
