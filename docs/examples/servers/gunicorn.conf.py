bind = '127.0.0.1:8080'
# the proxy at which TLS ends
forwarded_allow_ips = '127.0.0.1'
# and nobody says where the applications are mounted
forwarder_headers = ''
