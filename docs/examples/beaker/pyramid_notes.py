"""A note in Pyramid, in a session of pyramid_beaker's."""
from pyramid.config import Configurator


def note(request):
    session = request.session
    if request.method == 'POST':
        session['note'] = request.POST['note']
    return {'note': session.get('note', '')}


def make_notes(global_conf, **settings):
    with Configurator(settings=settings) as config:
        config.add_route('note', '/')
        config.add_view(note, route_name='note', renderer='json')
        return config.make_wsgi_app()
