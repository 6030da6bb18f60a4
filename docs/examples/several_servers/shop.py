"""A shop that keeps a note of the visitor, and counts his requests, in the cookie."""
import json
import os
from urllib.parse import parse_qs


def application(environ, start_response):
    control = environ['session.control']
    keep = environ['paste.auth.cookie'].append
    length = int(environ.get('CONTENT_LENGTH') or 0)
    form = parse_qs(environ['wsgi.input'].read(length).decode())
    action = environ['REQUEST_METHOD'], environ['PATH_INFO']
    if action == ('POST', '/login'):  # after a look at the password
        control.login(form['user'][0])
    elif action == ('POST', '/logout'):
        control.logout()
    elif action == ('POST', '/note'):
        keep('shop.note')
        environ['shop.note'] = form['note'][0]
    else:
        keep('shop.visits')
        environ['shop.visits'] = str(int(environ.get('shop.visits', '0')) + 1)
    start_response('200 OK', [('Content-Type', 'application/json')])
    return [json.dumps({
        'user': control.identity and control.identity.user,
        'status': control.status,
        'visits': int(environ.get('shop.visits', '0')),
        'session': repr(control.id),  # a fingerprint of the ID, not the ID
        'server': os.environ.get('SERVER', ''),
    }).encode()]


def make_app(global_conf):
    return application
