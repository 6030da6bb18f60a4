"""The project as a WSGI application, and for ini files."""
import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'shop.settings')
application = get_wsgi_application()


def make_app(global_conf):
    return application
