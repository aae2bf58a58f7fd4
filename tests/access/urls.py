"""The site's addresses, and a view of the API that says who came in, and with what."""

from django.urls import path
from rest_framework.permissions import IsAuthenticated
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response
from rest_framework.views import APIView

from access.permissions import InScope
from access.scopes import ANALYTICS_READ, PRODUCTS_WRITE
from dashboard.urls import urlpatterns as site


class Who(APIView):
    permission_classes = (IsAuthenticated, InScope)
    renderer_classes = (JSONRenderer,)
    throttle_classes = ()
    versioning_class = None
    scope_read, scope_write = ANALYTICS_READ, PRODUCTS_WRITE

    def get(self, request):
        scopes = sorted(request.auth.scopes) if request.auth else None
        return Response({"user": request.user.get_username(), "scopes": scopes})

    post = get


class Unscoped(Who):
    scope_read = scope_write = None


urlpatterns = [
    path("api/v1/who/", Who.as_view()),
    path("api/v1/unscoped/", Unscoped.as_view()),
    *site,
]
