"""The addresses of one's own second factor, inside of the admin's."""

from django.urls import path

from . import setting_up, views

urlpatterns = [
    path("", views.Status.as_view(), name="factor"),
    path("begin/", setting_up.Begin.as_view(), name="factor_begin"),
    path("confirm/", setting_up.Confirm.as_view(), name="factor_confirm"),
    path("picture.svg", setting_up.Picture.as_view(), name="factor_picture"),
    path("code/", views.GiveCode.as_view(), name="factor_code"),
    path("recovery/", views.Renew.as_view(), name="factor_recovery"),
    path("remove/", views.Remove.as_view(), name="factor_remove"),
]
