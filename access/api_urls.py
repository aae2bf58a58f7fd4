"""The addresses of JSON web tokens, for the API to include at ``auth/jwt/``."""

from django.urls import path

from . import views

urlpatterns = [
    path("", views.ObtainJwt.as_view(), name="jwt"),
    path("refresh/", views.RefreshJwt.as_view(), name="jwt-refresh"),
]
