"""A shop in Bottle, with a basket in Beaker's session."""
from bottle import Bottle, request, response

shop = Bottle()


@shop.get('/')
def show():
    session = request.environ['beaker.session']
    response.content_type = 'text/plain'
    return ', '.join(session.get('basket', ['nothing']))


@shop.post('/')
def put():
    session = request.environ['beaker.session']
    session['basket'] = [*session.get('basket', []), request.forms['item']]
    session.save()
    return show()


@shop.post('/login')
def login():
    # a shop that sells things looks at the password first, and at its form's token
    request.environ['session.control'].login(request.forms['user'])
    return show()


@shop.post('/logout')
def logout():
    request.environ['session.control'].logout()
    return show()


def make_shop(global_conf):
    return shop
