"""An application that counts a visitor's visits, and greets him by his name."""
VISITS = {}  # session ID -> visits; a framework keeps its sessions better than this


def counter(environ, start_response):
    session_id = environ['session.id']
    VISITS[session_id] = VISITS.get(session_id, 0) + 1
    user = environ.get('REMOTE_USER', 'nobody')
    start_response('200 OK', [('Content-Type', 'text/plain; charset=utf-8')])
    return [f'{user}, visit {VISITS[session_id]}\n'.encode()]


def make_app(global_conf):
    return counter
