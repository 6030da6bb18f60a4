"""The site of development.ini, for servers that take a module."""
import os

from paste.deploy import loadapp

application = loadapp('config:development.ini', relative_to=os.path.dirname(
    os.path.abspath(__file__)))
