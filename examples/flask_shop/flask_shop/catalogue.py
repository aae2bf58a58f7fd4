"""The products that a first start puts into an empty shop."""

# slug, name
CATEGORIES = [
    ("black-tea", "Black tea"),
    ("green-tea", "Green tea"),
    ("herbal-tea", "Herbal tea"),
    ("oolong", "Oolong"),
    ("pots-and-kettles", "Pots and kettles"),
]

# name, category, price in cents, stock, description
TEAS = [
    ("Morning Harbour", "black-tea", 890, 140, "Brisk and malty; stands up to milk."),
    ("Second Flush", "black-tea", 1450, 38, "Muscat grapes and a long, dry finish."),
    ("Pine Smoke", "black-tea", 1120, 52, "Dried over pine fires. Not for everyone."),
    ("Golden Tips", "black-tea", 1890, 24, "Honey and cocoa, from the first leaves."),
    (
        "Spring Needle",
        "green-tea",
        1650,
        31,
        "Picked before the rains; sweet and clear.",
    ),
    ("Shaded Dew", "green-tea", 2400, 12, "Three weeks under straw, then stone-cool."),
    (
        "Roasted Stem",
        "green-tea",
        780,
        96,
        "Stems, roasted: warm toast, hardly a wake-up.",
    ),
    ("Rice and Leaf", "green-tea", 720, 120, "Half leaf, half popped rice."),
    ("Jasmine Nine", "green-tea", 1380, 44, "Scented in nine nights of blossom."),
    ("Field Mint", "herbal-tea", 540, 200, "Cut at noon, dried in the shade."),
    (
        "Quiet Evening",
        "herbal-tea",
        620,
        150,
        "Lemon balm, lavender, and an early night.",
    ),
    ("Rosehip and Sea", "herbal-tea", 580, 88, "Rosehip, sea buckthorn, apple."),
    ("Iron Lady", "oolong", 1720, 26, "Rolled tight; orchids from the third pour."),
    ("Cliff Walk", "oolong", 2150, 9, "Dark, mineral, roasted over charcoal."),
    ("Honey Bug", "oolong", 1980, 0, "Nibbled by leafhoppers, and better for it."),
    (
        "Clay Pot",
        "pots-and-kettles",
        4600,
        17,
        "Unglazed, for one tea and one drinker.",
    ),
    ("Gooseneck Kettle", "pots-and-kettles", 6900, 14, "Pours as thin as you like."),
    (
        "Travel Flask",
        "pots-and-kettles",
        2850,
        60,
        "Double walls, a strainer in the lid.",
    ),
]
