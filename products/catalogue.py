"""The products that a first start puts into an empty catalogue.

Writes `Product` rows and their categories, and only when there are no products: what
staff deleted stays deleted.
"""

from decimal import Decimal

from django.db import transaction
from django.utils.text import slugify

from products.models import Category, Product

# slug, description
CATEGORIES = [
    ("kitchen", "For cooking, and for the table."),
    ("office", "For a desk that is worked at."),
    ("outdoor", "For the garden, the road and the rain."),
    ("lighting", "Warm light where it is needed."),
    ("textiles", "Wool, linen and cotton for the house."),
]

# name, category, price, stock, description
CATALOGUE = [
    ("Stoneware Mug", "kitchen", "14.50", 120, "A heavy mug that keeps tea warm."),
    ("Oak Cutting Board", "kitchen", "39.00", 34, "End grain oak, kind to knives."),
    ("Carbon Steel Pan", "kitchen", "58.00", 21, "26 cm, better with each use."),
    ("Linen Tea Towels", "kitchen", "18.00", 80, "A set of three, washed soft."),
    ("Glass Carafe", "kitchen", "27.50", 0, "One litre, with a cork stopper."),
    ("Pepper Mill", "kitchen", "32.00", 45, "Ceramic grinder, beech body."),
    ("Field Notebook", "office", "9.90", 300, "Dotted paper that lies flat."),
    ("Brass Pen", "office", "24.00", 60, "Grows darker where you hold it."),
    ("Desk Tray", "office", "42.00", 18, "Walnut, for what has no place."),
    ("Cork Pinboard", "office", "35.00", 26, "60 by 90 cm, framed in ash."),
    ("Page Lamp", "lighting", "64.00", 15, "Warm, small, made for reading."),
    ("Paper Lantern", "lighting", "29.00", 40, "Rice paper over bent bamboo."),
    ("Bulb, Amber", "lighting", "12.00", 210, "A dim LED for the evening."),
    ("Track Spot", "lighting", "49.00", 32, "Turns and tilts, 2700 kelvin."),
    ("Candle Holder", "lighting", "16.50", 70, "Cast iron, three candles."),
    ("Enamel Kettle", "outdoor", "44.00", 22, "For the fire or the stove."),
    ("Folding Stool", "outdoor", "52.00", 28, "Canvas and ash, 900 grams."),
    ("Rain Cape", "outdoor", "79.00", 12, "Packs into its own pocket."),
    ("Seed Box", "outdoor", "19.00", 55, "Twelve herbs that like a window."),
    ("Pocket Knife", "outdoor", "36.00", 0, "One blade, one good hinge."),
    ("Wool Blanket", "textiles", "110.00", 16, "Undyed, woven double."),
    ("Linen Cushion", "textiles", "34.00", 48, "50 by 50 cm, with filling."),
    ("Cotton Throw", "textiles", "59.00", 27, "Waffle weave in slate blue."),
    ("Door Mat", "textiles", "28.00", 66, "Coir, cut thick."),
]


def seed() -> int:
    """Fill an empty catalogue; how many products were made."""
    with transaction.atomic():
        if Product.objects.exists():
            return 0
        categories = seed_categories()
        rows = [
            Product(
                sku=f"PG-{number:04}",
                name=name,
                slug=slugify(name),
                category=categories[category],
                price=Decimal(price),
                stock=stock,
                description=description,
            )
            for number, (name, category, price, stock, description) in enumerate(
                sorted(CATALOGUE), 1
            )
        ]
        return len(Product.objects.bulk_create(rows))


def seed_categories() -> dict[str, Category]:
    """The categories by slug; those that are missing are made."""
    return {
        slug: Category.objects.get_or_create(
            slug=slug,
            defaults={
                "name": slug.capitalize(),
                "description": description,
                "position": 10 * place,
            },
        )[0]
        for place, (slug, description) in enumerate(CATEGORIES, 1)
    }
