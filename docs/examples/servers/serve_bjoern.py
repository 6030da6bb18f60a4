"""The site of development.ini under bjoern."""
import bjoern
from wsgi import application

bjoern.run(application, '127.0.0.1', 8080)
