"""The functions of paste.auth.auth_tkt, by the site's login."""


def make_ticket(app, global_conf):
    def ticket(environ, start_response):
        control = environ['session.control']

        def set_user(userid, tokens='', user_data=''):
            if isinstance(tokens, str):
                tokens = tokens.split(',') if tokens else ()
            control.login(userid, tokens)
            environ['REMOTE_USER_DATA'] = user_data

        environ['paste.auth_tkt.set_user'] = set_user
        environ['paste.auth_tkt.logout_user'] = control.logout
        return app(environ, start_response)
    return ticket
