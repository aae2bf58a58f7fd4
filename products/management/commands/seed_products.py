"""`manage.py seed_products`: fills an empty catalogue, changes no other."""

from django.core.management.base import BaseCommand

from products.catalogue import seed


class Command(BaseCommand):
    help = "Put some products into the catalogue if it is empty."

    def handle(self, *args, **options) -> None:
        made = seed()
        if options["verbosity"]:
            self.stdout.write(f"{made} products made.")
