"""Sphinx configuration: ``sphinx-build -W -b html docs docs/_build/html``."""
from importlib.metadata import version as installed_version

project = 'paste_sessioncookie'
author = 'The paste_sessioncookie maintainers'
copyright = author
release = version = installed_version('paste_sessioncookie')

html_theme = 'alabaster'
exclude_patterns = ['_build']
highlight_language = 'none'
nitpicky = False
