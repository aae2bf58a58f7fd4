"""The addresses of one's own second factor, inside of the admin's."""

from django.urls import path

from . import views

urlpatterns = [
    path("", views.Status.as_view(), name="factor"),
    path("begin/", views.Begin.as_view(), name="factor_begin"),
    path("confirm/", views.Confirm.as_view(), name="factor_confirm"),
    path("picture.svg", views.Picture.as_view(), name="factor_picture"),
    path("code/", views.GiveCode.as_view(), name="factor_code"),
    path("recovery/", views.Renew.as_view(), name="factor_recovery"),
    path("remove/", views.Remove.as_view(), name="factor_remove"),
]
