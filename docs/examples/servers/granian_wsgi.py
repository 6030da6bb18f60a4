"""The site of development.ini under granian."""
from granian.utils.proxies import wrap_wsgi_with_proxy_headers
from wsgi import application as site

# the proxy at which TLS ends
application = wrap_wsgi_with_proxy_headers(site, trusted_hosts='127.0.0.1')
