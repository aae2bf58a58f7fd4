"""SQLite for accounts: Django's backend, guarded against long waits."""

from django.db.backends.sqlite3 import base

from ..outage import Guarded


class DatabaseWrapper(Guarded, base.DatabaseWrapper):
    pass
