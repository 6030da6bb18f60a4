"""Django: its users log in here, for the whole site."""
import os

from django.core.management import call_command
from django.core.wsgi import get_wsgi_application


def make_app(global_conf, database):
    os.makedirs(os.path.dirname(database), exist_ok=True)
    os.environ['DJANGO_DATABASE'] = database
    os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'django_settings')
    application = get_wsgi_application()
    call_command('migrate', verbosity=0)
    from django.contrib.auth.models import User  # after the settings were read
    if not User.objects.exists():
        User.objects.create_user('bob', password='an example')
    return application
