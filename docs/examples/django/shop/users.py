"""Users who come from the site."""
from django.contrib.auth.models import User


def make_user(identity, profile):
    """Anybody may shop; ``get_or_create``, as two requests may come at once."""
    user, _ = User.objects.get_or_create(
        username=identity.user, defaults={'email': profile.get('email', '')})
    return user
