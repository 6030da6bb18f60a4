"""A shop in Django; what the site's session needs stands between the lines."""
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent.parent
SECRET_KEY = 'write a long one here, of your own'
ALLOWED_HOSTS = ['127.0.0.1', 'localhost']
ROOT_URLCONF = 'shop.urls'
WSGI_APPLICATION = 'shop.wsgi.application'
LOGIN_REDIRECT_URL = LOGOUT_REDIRECT_URL = 'basket'
USE_TZ = True
DEFAULT_AUTO_FIELD = 'django.db.models.BigAutoField'

INSTALLED_APPS = [
    'django.contrib.auth',
    'django.contrib.contenttypes',
    'django.contrib.sessions',
    'shop',
]
DATABASES = {'default': {
    'ENGINE': 'django.db.backends.sqlite3', 'NAME': BASE_DIR / 'shop.sqlite'}}
TEMPLATES = [{
    'BACKEND': 'django.template.backends.django.DjangoTemplates', 'APP_DIRS': True,
    'OPTIONS': {'context_processors': ['django.template.context_processors.request']}}]

# -- the site's session
MIDDLEWARE = [
    # instead of 'django.contrib.sessions.middleware.SessionMiddleware'
    'paste_sessioncookie.frameworks.django.SessionMiddleware',
    'django.middleware.common.CommonMiddleware',
    'django.middleware.csrf.CsrfViewMiddleware',
    'django.contrib.auth.middleware.AuthenticationMiddleware',
    # to receive the site's login
    'paste_sessioncookie.frameworks.django.auth.SiteLoginMiddleware',
]
AUTHENTICATION_BACKENDS = [
    'django.contrib.auth.backends.ModelBackend',
    # to receive the site's login
    'paste_sessioncookie.frameworks.django.auth.SiteLoginBackend',
]
SITE_SESSION = {
    # logins and log-outs here are the site's
    'PUBLISH': True,
    # ... with the names of the user's groups
    'TOKENS': 'paste_sessioncookie.frameworks.django.group_names',
    # whom the site knows and Django does not
    'MAKE_USER': 'shop.users.make_user',
    # the keys that an anonymous visitor's session takes along when he logs in
    'CARRY': ['basket'],
}
# -- the end of it
