bind = '0.0.0.0:8080'
workers = 2
# the balancer, which says with X-Forwarded-Proto that the visitor came by https
forwarded_allow_ips = '192.0.2.10'
# and nobody says where the applications are mounted
forwarder_headers = ''
