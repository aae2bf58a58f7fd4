"""Which databases a test runs on; without a mark it is SQLite."""

import pytest

ON_BOTH = pytest.mark.parametrize("site", ["sqlite", "postgresql"], indirect=True)
ON_POSTGRESQL = pytest.mark.parametrize("site", ["postgresql"], indirect=True)
