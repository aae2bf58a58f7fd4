"""The products of the demo: tables, and nothing that reads or writes anything.

The same on every machine and for every seed, so that one can tell later which products
were edited.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from django.utils.text import slugify

PREFIX = "DEMO-"
CATEGORIES = (
    ("bath", "Bath", "Soap, brushes, and towels to get dry with.", 60),
    ("storage", "Storage", "For what has to go somewhere.", 70),
)
"""What the demo adds to the shop's own: slug, name, description, position."""

HITS = (
    "Stoneware Bowl, Sand",
    "Pour-Over Dripper",
    "Wool Throw, Moss",
    "Desk Lamp, Brass",
    "Hand Towel, Sand",
    "Oak Shelf, 60 cm",
)
"""What most people look at, the favourite first."""
SELLS_OUT = "Pour-Over Dripper"
"""A hit until it is gone."""
SOLD_OUT = frozenset((SELLS_OUT, "Fire Bowl", "Safety Razor"))
WITHDRAWN = frozenset(("Bicycle Light", "Garment Bag", "Sea Sponge", "Wall Calendar"))
"""Inactive now, visited before; links to them still come."""
LAUNCHES = {
    "Coffee Grinder": 0.3,
    "Camp Lantern": 0.5,
    "Wool Rug": 0.65,
    "Bath Robe": 0.8,
    "Ladder Shelf": 0.9,
}
"""Name -> the part of the time that had passed when it was new."""

# category -> name {one, or other} | price of the first | description
TABLE = {
    "kitchen": """
Ash Rolling Pin | 22.00 | Turned from one piece, without handles.
Bread Box | 64.00 | Steel, with a lid of beech to cut on.
Bread Knife | 49.00 | A long blade with teeth that stay sharp.
Cast Iron Skillet {20 cm, 26 cm} | 38.00 | Seasoned once, and better every year.
Chef's Knife {16 cm, 21 cm} | 72.00 | Carbon steel, oiled walnut handle.
Coffee Grinder | 89.00 | Hand-cranked, with steel burrs.
Enamel Pot {1.5 litres, 3 litres, 5 litres} | 34.00 | Light, bright, for every stove.
Espresso Cups | 26.00 | Four small cups with thick walls.
Kitchen Scale | 45.00 | To the gram, up to five kilos.
Mixing Bowls | 39.00 | Three of steel, nested, with lids.
Moka Pot {3 cups, 6 cups} | 29.00 | Strong coffee from the stove.
Oven Mitt | 15.50 | Quilted cotton, long enough for the wrist.
Paring Knife | 24.00 | Small, thin, the one you will reach for.
Pour-Over Dripper | 27.00 | Glazed stoneware with a beech collar.
Salt Cellar | 19.00 | Olive wood, its lid swings aside.
Stoneware Bowl {Sand, Slate, Olive} | 18.50 | Thrown by hand, no two the same.
Stoneware Plate {Sand, Slate, Olive} | 22.50 | 27 cm, fit for the dishwasher.
Tea Strainer | 11.00 | Fine mesh that rests on every cup.
""",
    "office": """
Book Ends | 33.00 | A pair of bent steel, powder coated.
Cable Tray | 28.00 | Out of sight, under the desk.
Card Box | 21.00 | Linen boards, with alphabetical dividers.
Desk Clock | 54.00 | No tick, no alarm, big numerals.
Dotted Notebook {A6, A5, A4} | 8.50 | 160 pages that take ink well.
Envelope Set | 12.00 | Twenty of grey paper, lined.
Fountain Pen {Fine, Medium} | 62.00 | Brushed steel, filled by piston.
Ink Bottle {Black, Blue, Sepia} | 13.50 | 50 ml, dries fast, lasts long.
Laptop Sleeve {13 inch, 15 inch} | 46.00 | Wool felt with a leather strap.
Leather Desk Mat {Tan, Black} | 79.00 | Vegetable tanned, 70 by 40 cm.
Letter Opener | 17.00 | Brass, blunt enough for a drawer.
Monitor Stand | 68.00 | Oak, with room for a keyboard.
Paper Weight | 23.00 | A river stone cast in glass.
Pencil Set | 14.00 | Twelve of cedar, from soft to hard.
Steel Ruler | 9.00 | 30 cm, etched, with a cork back.
Wall Calendar | 19.50 | A month a page, printed in two inks.
Waste Paper Basket | 31.00 | Woven willow on a wooden base.
Weekly Planner | 16.00 | A week on two pages, undated.
""",
    "outdoor": """
Bird Feeder | 26.00 | For seeds, easy to open and to clean.
Bird House | 32.00 | Untreated larch, a 32 mm door.
Canvas Hammock | 88.00 | Carries two, with ropes and rings.
Dry Bag {5 litres, 10 litres} | 18.00 | Rolls shut and floats.
Fire Bowl | 129.00 | Raw steel, 60 cm, on three legs.
Garden Gloves | 14.50 | Goat leather, cotton back.
Garden Trowel | 19.00 | Forged, with a handle of ash.
Hand Fork | 19.00 | Three tines that do not bend.
Kneeling Pad | 12.50 | Cork, kind to knees and to the lawn.
Picnic Blanket {Red, Blue} | 49.00 | Wool above, waterproof below.
Plant Pot {14 cm, 20 cm, 28 cm} | 9.50 | Terracotta, with a saucer.
Pruning Shears | 39.00 | Every part can be replaced.
Steel Bottle | 24.00 | 0.7 litres, one wall, no plastic.
Trail Backpack {18 litres, 28 litres} | 84.00 | Waxed canvas, brass buckles.
Twine | 6.50 | 200 m of flax on a wooden spool.
Vacuum Flask {0.5 litres, 1 litre} | 32.00 | Twelve hours hot, a day cold.
Watering Can {3 litres, 9 litres} | 28.00 | Galvanised, with a fine rose.
Wool Beanie | 27.00 | Merino, knitted double.
""",
    "lighting": """
Beeswax Candles | 22.00 | Six, dipped by hand.
Bicycle Light | 34.00 | Charged by cable, held by a strap.
Camp Lantern | 47.00 | Thirty hours of warm light.
Clip Lamp | 36.00 | For shelves, beds and workbenches.
Desk Lamp {Brass, White} | 98.00 | Moves on springs, stays where it is put.
Dimmer Switch | 29.00 | Turns smoothly, made for LED.
Fabric Cable {Black, Red, Linen} | 11.00 | Three metres with a plug.
Floor Lamp {Oak, Black} | 149.00 | A tripod, a linen shade.
Lamp Shade {25 cm, 35 cm} | 34.00 | Linen on a steel ring.
LED Bulb {400 lumens, 800 lumens, 1100 lumens} | 7.50 | 2700 kelvin, 15 years.
Night Light | 18.00 | Wakes when it gets dark.
Pendant Lamp {Opal, Smoke, Green} | 119.00 | Blown glass on a fabric cable.
String Lights {5 metres, 10 metres} | 24.00 | For indoors and the balcony.
Tea Lights | 9.00 | Thirty, without the aluminium.
Wall Lamp | 76.00 | Turns by 180 degrees.
""",
    "textiles": """
Apron {Blue, Black} | 32.00 | Washed cotton, crossed at the back.
Curtain Panel | 58.00 | Half-linen, 140 by 250 cm.
Duvet Cover | 119.00 | Percale with wooden buttons.
Hot Water Bottle Cover | 29.00 | Lambswool, bottle included.
Jute Rug {60 by 90 cm, 120 by 180 cm} | 39.00 | Braided flat, for busy halls.
Linen Napkins {White, Olive, Ochre} | 28.00 | Four, with a hemstitch.
Linen Sheet {White, Grey} | 94.00 | 240 by 270 cm, stone washed.
Pillow Case {White, Grey, Terracotta} | 26.00 | Linen, closed with an envelope.
Quilt | 159.00 | Cotton, stitched by hand.
Seat Cushion {Grey, Ochre} | 24.00 | Wool felt, 40 cm across.
Table Cloth {140 cm, 180 cm, 250 cm} | 62.00 | Half-linen that may wrinkle.
Tote Bag | 17.00 | Heavy canvas, a pocket inside.
Wool Rug | 189.00 | Woven flat, 140 by 200 cm.
Wool Throw {Moss, Rust} | 84.00 | Lambswool with a short fringe.
""",
    "bath": """
Bath Brush | 18.00 | Beech and horsehair, the handle comes off.
Bath Mat {Cotton, Cork} | 29.00 | 50 by 80 cm, dries quickly.
Bath Robe | 89.00 | Waffle cotton with deep pockets.
Bath Salt {Lavender, Rosemary} | 13.00 | 500 grams in a glass jar.
Bath Towel {White, Sand, Slate} | 34.00 | 70 by 140 cm of thick terry.
Hair Brush | 24.00 | Pear wood with wooden pins.
Hand Towel {White, Sand, Slate} | 14.00 | 50 by 100 cm of thick terry.
Laundry Basket {40 litres, 60 litres} | 52.00 | Willow with a cotton lining.
Nail Brush | 9.50 | Small, stiff, on both sides.
Olive Soap | 6.50 | A plain bar, cured for half a year.
Pine Soap | 6.50 | A green bar that smells of woods.
Safety Razor | 42.00 | Chromed brass, for a lifetime.
Sea Sponge | 19.00 | Soft, from the Aegean.
Shaving Brush | 36.00 | Synthetic fibre, ash handle.
Shower Curtain | 44.00 | Waxed cotton, with twelve rings.
Soap Dish | 12.00 | Ridged larch, so that soap dries.
Toothbrush Cup | 16.00 | Stoneware, glazed inside only.
""",
    "storage": """
Coat Rack | 139.00 | Bent beech, eight hooks.
Drawer Divider | 18.00 | Bamboo, fits any drawer.
Felt Box {Small, Large} | 19.00 | Grey wool felt, folds flat.
Garment Bag | 27.00 | Cotton, keeps moths out.
Glass Jar {0.5 litres, 1 litre, 2 litres} | 7.50 | With a clip and a seal.
Key Rack | 23.00 | Oak, five brass hooks, a shelf.
Ladder Shelf | 169.00 | Leans on the wall, five boards.
Magazine Holder | 38.00 | Leather sling on a steel frame.
Oak Shelf {60 cm, 90 cm} | 59.00 | One board, hidden brackets.
Pine Crate | 24.00 | Stacks, carries, can be a table.
Shoe Rack | 74.00 | Slatted ash for eight pairs.
Spice Rack | 42.00 | Twelve jars, labels included.
Storage Bench | 198.00 | Sit on it, fill it.
Tin Set | 26.00 | Three for tea, coffee and biscuits.
Tool Box | 48.00 | Folded steel in one colour.
Wall Hook {Brass, Black} | 12.50 | Holds a heavy coat.
Wire Basket {Small, Medium, Large} | 17.00 | Welded steel, copper plated.
""",
}
LINE = re.compile(r"(.+?)(?: \{(.+)\})? \| ([\d.]+) \| (.+)")
STEP = Decimal("0.28")
"""How much more each larger size costs; colours cost the same."""


@dataclass(frozen=True, slots=True)
class Item:
    """A product as the demo makes it."""

    sku: str
    name: str
    slug: str
    category: str
    description: str
    price: Decimal
    stock: int
    is_active: bool


@lru_cache(maxsize=1)
def items() -> tuple[Item, ...]:
    """All of them, in the order of their article numbers."""
    lines = [
        (category, *line)
        for category, text in TABLE.items()
        for row in text.strip().splitlines()
        for line in _variants(row)
    ]
    return tuple(_item(number, *line) for number, line in enumerate(lines, 1))


def _variants(row: str) -> Iterator[tuple[str, Decimal, str]]:
    """'Pot {1 l, 2 l} | 9.00 | Of clay.' is two products."""
    name, variants, price, description = LINE.fullmatch(row).groups()
    if not variants:
        yield name, Decimal(price), description
        return
    for place, variant in enumerate(variants.split(", ")):
        sizes = variant[0].isdigit() or variants.startswith("Small")
        larger = place if sizes else 0
        yield f"{name}, {variant}", _dearer(Decimal(price), larger), description


def _dearer(price: Decimal, steps: int) -> Decimal:
    """Rounded to half a euro, as the table's prices are."""
    return ((price * (1 + STEP * steps) * 2).to_integral_value() / 2).quantize(
        Decimal("0.01")
    )


def _item(
    number: int, category: str, name: str, price: Decimal, description: str
) -> Item:
    sku = f"{PREFIX}{number:04}"
    dice = random.Random(sku)  # noqa: S311
    return Item(
        sku=sku,
        name=name,
        slug=slugify(name.replace(".", "-")),
        category=category,
        description=description,
        price=price,
        stock=0 if name in SOLD_OUT else int(4 + dice.expovariate(1 / 45)),
        is_active=name not in WITHDRAWN,
    )
