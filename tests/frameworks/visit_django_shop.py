"""A visit to ``docs/examples/django``, in a process of its own, as Django has one
configuration in each.  The argument is the folder where a copy of it is."""
import sys

from paste.deploy import loadapp
from webtest import TestApp

folder = sys.argv[1]
sys.path.insert(0, folder)
site = loadapp(f'config:{folder}/site.ini')

from django.contrib.auth.models import Group, User  # noqa: E402
from django.core.management import call_command  # noqa: E402

call_command('migrate', verbosity=0)
call_command('check', fail_level='WARNING')
bob = User.objects.create_user('bob', password='a password')
bob.groups.add(Group.objects.create(name='readers'))


def visitor():
    return TestApp(site, extra_environ={
        'wsgi.url_scheme': 'https', 'HTTP_HOST': 'localhost', 'SERVER_PORT': '443',
        'HTTP_ORIGIN': 'https://localhost'})


def submit(browser, path, index=0, **fields):
    form = browser.get(path).forms[index]
    for name, value in fields.items():
        form[name] = value
    return form.submit().maybe_follow()


def basket(browser):
    return browser.get('/shop/').html.p.text


# somebody logs in next door, with a basket
ada = visitor()
submit(ada, '/shop/', book='Ulysses')
assert basket(ada) == 'a visitor: Ulysses'
submit(ada, '/accounts/', name='ada', password='analytical engine')
assert basket(ada) == 'ada: Ulysses'
assert User.objects.get(username='ada').groups.count() == 0
submit(ada, '/shop/', 1)
assert basket(ada) == 'a visitor: '
assert 'password' in ada.get('/accounts/').text

# she changes her password here, and stays in
ada_here = User.objects.get(username='ada')
ada_here.set_password('a password')
ada_here.save()
submit(ada, '/accounts/', name='ada', password='analytical engine')
submit(ada, '/shop/', book='Emma')
submit(ada, '/shop/password/', old_password='a password',
       new_password1='another one', new_password2='another one')
assert basket(ada) == 'ada: Emma'
assert 'ada' in ada.get('/accounts/').text

# somebody logs in to Django
browser, other = visitor(), visitor()
for each in browser, other:
    submit(each, '/shop/login/', username='bob', password='a password')
    assert 'bob' in each.get('/accounts/').text
submit(browser, '/shop/', book='Emma')
submit(browser, '/shop/password/', old_password='a password',
       new_password1='another one', new_password2='another one')
assert 'bob' in browser.get('/accounts/').text
assert basket(browser) == 'bob: Emma'
assert 'bob' not in other.get('/accounts/').text
assert basket(other) == 'a visitor: '
submit(browser, '/shop/', 1)
assert 'bob' not in browser.get('/accounts/').text
assert {cookie.name for cookie in browser.cookiejar} <= {'__Host-site_session', 'csrftoken'}
