"""The one page of all four applications: who is here, and what he has."""
from html import escape

APPLICATIONS = ('django', 'django2', 'flask', 'pyramid', 'beaker')


def page(title, user, basket, hidden=''):
    """HTML; ``hidden`` goes into each form, as a token against forgery."""
    links = ' '.join(f'<a href="/{name}/">{name}</a>' for name in APPLICATIONS)
    entry = (_form('logout', 'Log out', hidden) if user
             else '<p><a href="/django/login/">Log in</a></p>')
    return f'''<!DOCTYPE html>
<html lang="en"><meta name="viewport" content="width=device-width"><title>{title}</title>
<nav>{links}</nav>
<h1>{title}</h1>
<p>You are <b id="user">{escape(user or 'nobody')}</b>.
Your basket has <b id="basket">{escape(', '.join(basket) or 'nothing')}</b>.</p>
{_form('add', 'Put a book into the basket', hidden)}
{entry}</html>'''


def _form(action, label, hidden):
    return f'<form method="post" action="{action}/">{hidden}<button>{label}</button></form>'
