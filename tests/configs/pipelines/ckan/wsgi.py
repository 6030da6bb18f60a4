import os

from paste.deploy import loadfilter
from pipelineapps import make_ckan  # was ckan.config.middleware

here = os.path.dirname(os.path.abspath(__file__))
application = make_ckan(os.path.join(here, 'ckan.ini'))
for name in ('own', 'session'):  # from the inside out
    application = loadfilter(f'config:{here}/session.ini', name)(application)
