"""An application that shows its caller what it holds for him, and who it is itself."""
import json
import os
from urllib.parse import parse_qs


def application(environ, start_response):
    control = environ['session.control']
    form = parse_qs(environ['QUERY_STRING'])
    action = environ['PATH_INFO']
    if action == '/login':
        control.login(form['user'][0])
    elif action == '/logout':
        control.logout()
    elif action == '/note':
        environ['paste.auth.cookie'].append('mirror.note')
        environ['mirror.note'] = form['note'][0]
    body = json.dumps({
        'process': os.getpid(), 'status': control.status, 'id': str(control.id),
        'user': control.identity and control.identity.user,
        'note': environ.get('mirror.note')}).encode()
    start_response('200 OK', [('Content-Type', 'application/json'),
                              ('Content-Length', str(len(body)))])
    return [body]


def make_app(global_conf):
    return application
