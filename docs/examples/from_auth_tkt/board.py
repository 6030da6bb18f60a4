"""An application as it was written for paste.auth.auth_tkt."""
from paste.request import parse_dict_querystring


def board(environ, start_response):
    if environ['PATH_INFO'] == '/login':  # after a look at the password
        query = parse_dict_querystring(environ)
        environ['paste.auth_tkt.set_user'](
            query['user'], tokens=['staff', 'news'], user_data='dark')
    elif environ['PATH_INFO'] == '/logout':
        environ['paste.auth_tkt.logout_user']()
    shown = [environ.get(key, '-') for key in (
        'REMOTE_USER', 'REMOTE_USER_TOKENS', 'REMOTE_USER_DATA')]
    start_response('200 OK', [('Content-Type', 'text/plain')])
    return [' '.join(shown).encode()]


def make_app(global_conf):
    return board
