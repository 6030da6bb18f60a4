"""The project's URLs, and what is shown there."""
from django.contrib.auth.views import LoginView, LogoutView
from django.http import HttpResponse
from django.middleware.csrf import get_token
from django.shortcuts import redirect
from django.urls import path
from page import page


def show(request):
    token = f'<input type="hidden" name="csrfmiddlewaretoken" value="{get_token(request)}">'
    return HttpResponse(page('Django', request.user.get_username(),
                             request.session.get('basket', []), token))


def add(request):
    request.session['basket'] = [*request.session.get('basket', []), 'a book']
    return redirect('show')


urlpatterns = [
    path('', show, name='show'),
    path('add/', add),
    path('login/', LoginView.as_view(template_name='login'), name='login'),
    path('logout/', LogoutView.as_view()),
]
