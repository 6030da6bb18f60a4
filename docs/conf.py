"""Sphinx configuration: ``sphinx-build -W -b html docs docs/_build/html``."""
from importlib.metadata import version as installed_version

from docutils import nodes

project = 'paste_sessioncookie'
author = 'The paste_sessioncookie maintainers'
copyright = author
release = version = installed_version('paste_sessioncookie')

# links that lead nowhere are errors, but for the types in signatures
nitpicky = True
nitpick_ignore_regex = [('py:class', '.*')]

extensions = ['sphinx.ext.autodoc']
autodoc_member_order = 'bysource'
autodoc_typehints = 'signature'
autodoc_class_signature = 'mixed'
# shown as they are written, not as what they are made of
autodoc_preserve_defaults = True
python_use_unqualified_type_names = True

# light and dark, wide and narrow, and readable without scripts
html_theme = 'furo'
html_title = f'paste_sessioncookie {release}'
html_static_path = ['_static']
html_css_files = ['manual.css']
html_copy_source = False
exclude_patterns = ['_build']
highlight_language = 'none'


def without_file_names(app, doctree):
    """A difference of two files begins with where they lie on this machine."""
    for block in doctree.findall(nodes.literal_block):
        if block.get('language') == 'udiff':
            text = block.astext().split('\n', 2)[2]
            block.rawsource = text
            block[:] = [nodes.Text(text)]


def setup(app):
    app.connect('doctree-read', without_file_names)
