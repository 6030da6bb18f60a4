"""The settings of a small project; what is the site's stands at the end."""
import os
import secrets

# several processes need one that is the same for all
SECRET_KEY = os.environ.get('DJANGO_SECRET_KEY') or secrets.token_hex(32)
ALLOWED_HOSTS = ['127.0.0.1', 'localhost']
ROOT_URLCONF = 'django_views'
LOGIN_REDIRECT_URL = LOGOUT_REDIRECT_URL = 'show'
USE_TZ = True
INSTALLED_APPS = [
    'django.contrib.auth', 'django.contrib.contenttypes', 'django.contrib.sessions']
DATABASES = {'default': {
    'ENGINE': 'django.db.backends.sqlite3', 'NAME': os.environ['DJANGO_DATABASE']}}

LOGIN = '''<!DOCTYPE html><html lang="en"><title>Log in</title><h1>Log in</h1>
<form method="post">{% csrf_token %}{{ form.as_p }}<button>Log in</button></form></html>'''
TEMPLATES = [{'BACKEND': 'django.template.backends.django.DjangoTemplates', 'OPTIONS': {
    'loaders': [('django.template.loaders.locmem.Loader', {'login': LOGIN})]}}]

MIDDLEWARE = [
    'paste_sessioncookie.frameworks.django.SessionMiddleware',
    'django.middleware.common.CommonMiddleware',
    'django.middleware.csrf.CsrfViewMiddleware',
    'django.contrib.auth.middleware.AuthenticationMiddleware',
    'paste_sessioncookie.frameworks.django.auth.SiteLoginMiddleware',
]
AUTHENTICATION_BACKENDS = [
    'django.contrib.auth.backends.ModelBackend',
    'paste_sessioncookie.frameworks.django.auth.SiteLoginBackend',
]
SITE_SESSION = {'PUBLISH': True, 'CARRY': ['basket']}
