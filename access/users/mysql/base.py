"""MySQL and MariaDB for accounts: Django's backend with the driver PyMySQL, guarded.

Tables are made so that `A` is not `a`, whatever the database's own default is. Lookups
that are to ignore case (`iexact`, `icontains` …) name a collation that does.
"""

import pymysql

pymysql.install_as_MySQLdb()

from django.db.backends.mysql import base, schema  # noqa: E402

from ..outage import Guarded  # noqa: E402

COLLATION = "utf8mb4_bin"
IGNORES_CASE = "COLLATE utf8mb4_general_ci"


class SchemaEditor(schema.DatabaseSchemaEditor):
    sql_create_table = (
        "CREATE TABLE %(table)s (%(definition)s) "
        f"ENGINE=InnoDB CHARACTER SET utf8mb4 COLLATE {COLLATION}"
    )


class DatabaseWrapper(Guarded, base.DatabaseWrapper):
    SchemaEditorClass = SchemaEditor
    operators = base.DatabaseWrapper.operators | {
        name: f"LIKE %s {IGNORES_CASE}"
        for name in ("iexact", "icontains", "istartswith", "iendswith")
    }
