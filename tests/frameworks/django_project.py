"""Django's settings for the tests: one process has one configuration."""
import atexit
import os
import tempfile
import types

import pytest

if 'CI' not in os.environ:
    pytest.importorskip('django', reason='needs paste_sessioncookie[django]')

import django
from django.conf import settings

_folder = tempfile.TemporaryDirectory()
atexit.register(_folder.cleanup)
#: where the database is, and the sessions of the engine of files
FOLDER = _folder.name

settings.configure(
    SECRET_KEY='for the tests alone, of no use to anybody',
    ALLOWED_HOSTS=['*'],
    USE_TZ=True,
    ROOT_URLCONF=types.ModuleType('urls'),
    INSTALLED_APPS=['django.contrib.contenttypes', 'django.contrib.auth',
                    'django.contrib.sessions'],
    DATABASES={'default': {'ENGINE': 'django.db.backends.sqlite3',
                           'NAME': os.path.join(FOLDER, 'db.sqlite')}},
    SESSION_FILE_PATH=FOLDER,
    PASSWORD_HASHERS=['django.contrib.auth.hashers.MD5PasswordHasher'],
    DEFAULT_AUTO_FIELD='django.db.models.AutoField',
    LOGGING_CONFIG=None,
)
django.setup()
