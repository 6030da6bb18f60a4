"""An application with a page for everybody, one for users, and a log-out."""


def notes(environ, start_response):
    control = environ['session.control']
    path = environ['PATH_INFO']
    status, answer = '200 OK', 'For everybody'
    if path == '/mine':
        user = environ.get('REMOTE_USER')
        status, answer = ('200 OK', f'Notes of {user}') if user else ('403 Forbidden', 'No')
    elif path == '/logout':
        control.logout()
    start_response(status, [('Content-Type', 'text/plain; charset=utf-8')])
    return [answer.encode()]


def make_app(global_conf):
    return notes
