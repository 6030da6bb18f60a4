from paste.request import parse_formvars


def basket(environ, start_response):
    session = environ['paste.session.factory']()
    book = parse_formvars(environ).get('book')
    if book:
        session.setdefault('basket', []).append(book)
    start_response('200 OK', [('Content-Type', 'text/plain')])
    return [', '.join(session.get('basket', [])).encode()]


def make_basket(global_conf):
    return basket
