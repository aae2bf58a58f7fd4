"""The addresses of the password reset, by the names that the admin looks for, and of
one's own second factor."""

from django.urls import include, path

from . import views

urlpatterns = [
    path("second-factor/", include("access.factors.urls")),
    path("password_reset/", views.AskReset.as_view(), name="admin_password_reset"),
    path(
        "password_reset/done/", views.ResetAsked.as_view(), name="password_reset_done"
    ),
    path(
        "reset/<uidb64>/<token>/", views.Reset.as_view(), name="password_reset_confirm"
    ),
    path("reset/done/", views.ResetDone.as_view(), name="password_reset_complete"),
]
