"""The public addresses of the shop."""

from django.urls import path

from products import views

app_name = "products"

urlpatterns = [
    path("", views.home, name="home"),
    path("about/", views.about, name="about"),
    path("products/", views.ProductList.as_view(), name="list"),
    path(
        "products/category/<slug:slug>/", views.ProductList.as_view(), name="category"
    ),
    path("products/<slug:slug>/", views.ProductDetail.as_view(), name="detail"),
    path("price-list.csv", views.price_list, name="price-list"),
]
