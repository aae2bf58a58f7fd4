"""The addresses of this app outside the admin: include them at the root."""

from django.urls import path

from .reporting import views

app_name = "analytics"

urlpatterns = [path("healthz", views.health, name="health")]
