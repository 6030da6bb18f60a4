"""A shop in TurboGears 2, with a basket in tg.session."""
from tg import FullStackApplicationConfigurator, TGController, abort, expose, request, session

from paste_sessioncookie.frameworks.turbogears import SiteIdentity, SiteSessions

CUSTOMERS = {'bob': 'Bob Smith'}


class Customers:
    """What TurboGears asks about a user who is logged in."""

    def get_user(self, identity, userid):
        if userid not in CUSTOMERS:
            # somebody new here, but known next door
            CUSTOMERS[userid] = identity['session.profile'].get('name', userid)
        return CUSTOMERS[userid]

    def get_groups(self, identity, userid):
        return ['customers']

    def get_permissions(self, identity, userid):
        return ['buy']


class Shop(TGController):

    @expose(content_type='text/plain')
    def index(self, item=None):
        if request.method == 'POST':
            session['basket'] = [*session.get('basket', []), item]
            session.save()
        name = request.identity['user'] if request.identity else 'somebody'
        return f"{name}: {', '.join(session.get('basket', ['nothing']))}"

    @expose(content_type='text/plain')
    def login(self, user):
        if request.method != 'POST':
            abort(405)
        # a shop that sells things looks at the password first, and at its form's token
        request.environ['session.control'].login(user)
        return 'Hello'


def make_shop(global_conf, **app_conf):
    config = FullStackApplicationConfigurator()
    config.replace('session', SiteSessions)
    config.register(SiteIdentity)
    config.update_blueprint({
        'root_controller': Shop(), 'sa_auth.authmetadata': Customers()})
    return config.make_wsgi_app(global_conf, app_conf)
