"""The application that logs users in and out, for the whole site."""
import hmac
from urllib.parse import parse_qs

PASSWORDS = {'bob': 'an example'}  # a real one has a database, and hashes
FORM = '''<!doctype html><html lang=en><title>Log in</title>
<form method=post action=login>
  <label>User <input name=user></label>
  <label>Password <input name=password type=password></label>
  <button>Log in</button> <button formaction=logout>Log out</button>
</form>
'''


def door(environ, start_response):
    control = environ['session.control']
    place = environ['REQUEST_METHOD'], environ['PATH_INFO']
    status, answer = '200 OK', FORM
    if place == ('POST', '/login'):
        user, password = read_form(environ)
        if is_right(user, password):
            control.login(user)
            answer = f'Hello, {user}\n'
        else:
            status, answer = '403 Forbidden', 'No such user, or another password\n'
    elif place == ('POST', '/logout'):
        control.logout()
        answer = 'Goodbye\n'
    start_response(status, [('Content-Type', 'text/html; charset=utf-8')])
    return [answer.encode()]


def read_form(environ):
    length = int(environ.get('CONTENT_LENGTH') or 0)
    form = parse_qs(environ['wsgi.input'].read(length).decode())
    return form.get('user', [''])[0], form.get('password', [''])[0]


def is_right(user, password):
    return user in PASSWORDS and hmac.compare_digest(
        PASSWORDS[user].encode(), password.encode())


def make_app(global_conf):
    return door
