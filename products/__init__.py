"""The catalogue: products, their admin, and the public pages that show them."""
