"""
What the pages look like
========================

One layout and one style sheet for all applications.  Whatever is put into
HTML is escaped by :func:`html`, so that no page has to remember it::

>>> from paste_sessioncookie.demo.pages import html
>>> print(html('<p>{} {}</p>', '<&>', html('<b>{}</b>', 1)))
<p>&lt;&amp;&gt; <b>1</b></p>
"""
from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from paste_sessioncookie import SessionControl

#: where development.ini mounts what people visit
NAVIGATION = (('/', 'Start'), ('/accounts', 'Accounts'), ('/blog', 'Blog'),
              ('/news', 'News'), ('/wiki', 'Wiki'), ('/staff', 'Staff'))
LOGIN = '/accounts/login'

#: a weblog's themes, and what to call them
THEMES = {'system': 'As your system', 'sepia': 'Sepia', 'night': 'Night'}


class Html(str):
    """Text that is HTML already."""


def html(template: str, *parts: object) -> Html:
    """The template with each ``{}`` filled, escaped unless it is Html."""
    return Html(template.format(*[
        part if isinstance(part, Html) else escape(str(part)) for part in parts]))


def join(parts: Iterable[Html]) -> Html:
    return Html('\n'.join(parts))


def fingerprint(session_id: str) -> str:
    """What pages show of a session ID: 8 hex digits of a one-way hash."""
    return hashlib.sha256(b'demo page ' + session_id.encode('ascii')).hexdigest()[:8]


def layout(control: SessionControl, here: str, title: str, body: Html,
           theme: str = '') -> Html:
    """A whole page.  ``here``: where the application is mounted; ``title``: also
    the heading; ``theme``: one of THEMES."""
    return html(
        _LAYOUT, theme, title, Html(STYLE), join(
            html('<li><a href="{}"{}>{}</a></li>', path,
                 Html(' aria-current="page"' if path == (here or '/') else ''), name)
            for path, name in NAVIGATION),
        title, body, _state(control))


def _state(control: SessionControl) -> Html:
    """What the application sees of the visitor."""
    identity = control.identity
    user: object = Html('nobody')
    if identity is not None:
        groups = ', '.join(identity.tokens) or 'none'
        user = html('<strong>{}</strong> (groups: {})', identity.user, groups)
    return html(
        _STATE, user, control.status, fingerprint(control.id),
        ', made by this request' if control.new else '',
        html('<code>{}</code>', control.namespace) if control.namespace
        else 'none: the whole site')


_LAYOUT = '''\
<!DOCTYPE html>
<html lang="en" data-theme="{}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{} – One cookie</title>
<link rel="icon" href="data:,">
<style>{}</style>
</head>
<body>
<a class="skip" href="#content">Skip to the content</a>
<header>
<p class="brand">One cookie</p>
<nav aria-label="Applications">
<ul>
{}
</ul>
</nav>
</header>
<main id="content">
<h1>{}</h1>
{}
</main>
<aside aria-labelledby="state">
{}
</aside>
</body>
</html>
'''

_STATE = '''\
<h2 id="state">What this application sees</h2>
<dl>
<div><dt>Logged in</dt><dd>{}</dd></div>
<div><dt>Status of the cookie</dt><dd><code>{}</code></dd></div>
<div><dt>Session ID, hashed</dt><dd><code>{}</code>{}</dd></div>
<div><dt>Namespace</dt><dd>{}</dd></div>
</dl>'''

# text on its ground: contrast of 7 and more (WCAG 2.2, 1.4.6), borders of
# controls 3 (1.4.11)
_LIGHT = '''color-scheme: light; --ground: #f3f5f8; --card: #ffffff; --text: #1a2230;
 --quiet: #465162; --line: #d5dbe3; --edge: #6d7889; --link: #0a4c8f; --act: #0a4c8f;
 --on-act: #ffffff; --alert: #8c1414; --alert-ground: #fdeeee;'''
_DARK = '''color-scheme: dark; --ground: #11151b; --card: #1a2029; --text: #e8ebf0;
 --quiet: #b3bdcb; --line: #303946; --edge: #8490a1; --link: #93c5ff; --act: #93c5ff;
 --on-act: #0d1a2a; --alert: #ffb4b4; --alert-ground: #371a1d;'''
_SEPIA = '''color-scheme: light; --ground: #efe4cb; --card: #f9f2e0; --text: #35291a;
 --quiet: #53442f; --line: #d9c8a3; --edge: #82704f; --link: #6b3500; --act: #6b3500;
 --on-act: #fff8e8; --alert: #8c1414; --alert-ground: #fdeeee;'''

_RULES = '''
*, *::before { box-sizing: border-box; }
body { margin: 0 auto; max-width: 46rem; padding: 0 1.25rem 3rem; color: var(--text);
 background: var(--ground); font: 1.0625rem/1.6 system-ui, sans-serif;
 overflow-wrap: break-word; }
a { color: var(--link); text-underline-offset: .2em; }
:focus-visible { outline: .1875rem solid var(--link); outline-offset: .125rem; }
.skip { position: absolute; left: -99rem; }
.skip:focus { left: 1rem; top: .5rem; padding: .5rem 1rem; background: var(--card); }
header { display: flex; flex-wrap: wrap; align-items: baseline; gap: .25rem 2rem;
 padding: 1.5rem 0 1rem; border-bottom: 1px solid var(--line); }
.brand { margin: 0; font-weight: 700; letter-spacing: .01em; }
nav ul { display: flex; flex-wrap: wrap; margin: 0 -.5rem; padding: 0; list-style: none; }
nav a { display: block; padding: .375rem .5rem; border-radius: .375rem;
 text-decoration: none; }
nav a:hover { text-decoration: underline; }
nav a[aria-current] { background: var(--act); color: var(--on-act); }
@media (forced-colors: active) { nav a[aria-current] { border: 2px solid; } }
h1 { margin: 2rem 0 .75rem; font-size: 1.875rem; line-height: 1.2; }
h2 { margin: 0 0 .75rem; font-size: 1.1875rem; line-height: 1.3; }
p, ol, ul, pre { margin: 0 0 1rem; }
ol, ul { padding-left: 1.5rem; }
li { margin-bottom: .25rem; }
section, aside { margin: 1.5rem 0 0; padding: 1.25rem 1.25rem 1rem; border-radius: .625rem;
 background: var(--card); border: 1px solid var(--line); }
section > :last-child, section > form:last-child > :last-child { margin-bottom: .25rem; }
.quiet { color: var(--quiet); font-size: .9375rem; }
.alert { padding: .75rem 1rem; border-left: .25rem solid var(--alert);
 background: var(--alert-ground); color: var(--alert); }
.text { white-space: pre-wrap; margin: 0 0 .5rem; }
code { font: .9375em ui-monospace, "DejaVu Sans Mono", monospace; }
dl { margin: 0; }
dl div { display: flex; flex-wrap: wrap; gap: 0 1rem; padding: .375rem 0;
 border-top: 1px solid var(--line); }
dl div:first-child { border-top: 0; }
dt { flex: 0 0 12rem; color: var(--quiet); }
dd { flex: 1 1 12rem; margin: 0; min-width: 0; }
label, legend { display: block; margin-bottom: .25rem; padding: 0; font-weight: 600; }
fieldset { margin: 0 0 1rem; padding: 0; border: 0; }
.choice { display: inline-flex; align-items: center; gap: .5rem; margin: 0 1.25rem 0 0;
 min-height: 2.75rem; font-weight: 400; }
.choice input { width: 1.25rem; height: 1.25rem; accent-color: var(--act); }
.field { width: 100%; margin-bottom: 1rem; padding: .625rem .75rem; font: inherit;
 color: inherit; background: var(--ground); border: 1px solid var(--edge);
 border-radius: .375rem; }
button { min-height: 2.75rem; padding: .5rem 1.25rem; font: inherit; font-weight: 600;
 cursor: pointer; color: var(--on-act); background: var(--act);
 border: 1px solid var(--act); border-radius: .375rem; }
button.second { color: var(--link); background: none; border-color: var(--edge); }
table { width: 100%; border-collapse: collapse; }
th, td { padding: .375rem .75rem .375rem 0; text-align: left;
 border-top: 1px solid var(--line); }
caption { padding-bottom: .5rem; text-align: left; }
ul.cards { padding: 0; list-style: none; }
ul.cards > li { padding: .75rem 0; margin: 0; border-top: 1px solid var(--line); }
'''

STYLE = (f':root {{ {_LIGHT} }}\n'
         f'@media (prefers-color-scheme: dark) {{ :root {{ {_DARK} }} }}\n'
         f':root[data-theme=sepia] {{ {_SEPIA} }}\n'
         f':root[data-theme=night] {{ {_DARK} }}{_RULES}')

#: Content-Security-Policy: this style sheet and nothing else, from nowhere
POLICY = (
    "default-src 'none'; img-src data:; style-src 'sha256-"
    + base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    + "'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'")
