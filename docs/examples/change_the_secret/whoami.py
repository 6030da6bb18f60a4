"""An application that logs bob in, and shows whose session it is, and why."""


def whoami(environ, start_response):
    control = environ['session.control']
    if environ['PATH_INFO'] == '/login':
        control.login('bob')
    user = control.identity.user if control.identity else 'nobody'
    start_response('200 OK', [('Content-Type', 'text/plain')])
    return [f'{user} {control.status}'.encode()]


def make_app(global_conf):
    return whoami
