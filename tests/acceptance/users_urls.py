"""The tested site's addresses, and behind them all of the project's."""

from dashboard import urls
from tests.acceptance.urls import urlpatterns as tested

handler500 = urls.handler500
urlpatterns = [*tested, *urls.urlpatterns]
