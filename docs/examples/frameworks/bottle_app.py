"""Bottle, with a session of Beaker's."""
from bottle import Bottle, redirect, request
from page import page

app = Bottle()


@app.get('/')
def show():
    return page('Beaker', request.environ.get('REMOTE_USER'),
                request.environ['beaker.session'].get('basket', []))


@app.post('/add/')
def add():
    session = request.environ['beaker.session']
    session['basket'] = [*session.get('basket', []), 'a book']
    redirect(request.script_name, 303)


@app.post('/logout/')
def logout():
    request.environ['session.control'].logout()
    redirect(request.script_name, 303)


def make_app(global_conf):
    return app
