from django.contrib.auth.views import LoginView, LogoutView
from django.urls import path

from . import views

urlpatterns = [
    path('', views.basket, name='basket'),
    path('login/', LoginView.as_view(template_name='shop/form.html'), name='login'),
    path('logout/', LogoutView.as_view(), name='logout'),
    path('password/', views.ChangePassword.as_view(
        template_name='shop/form.html', success_url='/shop/'), name='password'),
]
