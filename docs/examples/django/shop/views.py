"""A basket, and a password."""
from django.contrib.auth.views import PasswordChangeView
from django.shortcuts import redirect, render


def basket(request):
    if request.method == 'POST':
        request.session['basket'] = [*request.session.get('basket', []), request.POST['book']]
        return redirect('basket')
    return render(request, 'shop/basket.html', {'basket': request.session.get('basket', [])})


class ChangePassword(PasswordChangeView):
    """A new password ends the user's logins everywhere, but for this one."""

    def form_valid(self, form):
        response = super().form_valid(form)
        control = self.request.META['session.control']
        user, tokens = control.identity.user, control.identity.tokens
        control.revoke(user)
        control.login(user, tokens, again=True)
        self.request.session.move()  # the session goes along to the new ID
        return response
