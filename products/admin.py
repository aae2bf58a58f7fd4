"""The catalogue in the admin: list, search, filters, edit."""

from django.contrib import admin

from products.models import Product


@admin.register(Product)
class ProductAdmin(admin.ModelAdmin):
    list_display = ["name", "category", "price", "stock", "is_active", "updated"]
    list_filter = ["category", "is_active", "updated"]
    search_fields = ["name", "slug", "description"]
    prepopulated_fields = {"slug": ["name"]}
    readonly_fields = ["created", "updated"]
    list_per_page = 50
    fieldsets = [
        (None, {"fields": ["name", "slug", "category", "description"]}),
        ("Offer", {"fields": ["price", "stock", "is_active"]}),
        ("History", {"fields": ["created", "updated"], "classes": ["collapse"]}),
    ]
