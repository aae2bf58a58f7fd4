"""How values are written into the shared cache: as JSON, never pickled."""

from __future__ import annotations

import json
from typing import Any


class JsonSerializer:
    """For Django's RedisCache, whose own would load whatever code it finds there."""

    def dumps(self, value: Any) -> bytes:
        return json.dumps(value).encode()

    def loads(self, data: bytes) -> Any:
        return json.loads(data)
