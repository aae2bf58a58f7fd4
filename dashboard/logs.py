"""What the log leaves out."""

import logging


class Brief(logging.Filter):
    """A refusal is a line: only what we did wrong comes with a traceback."""

    def filter(self, record: logging.LogRecord) -> bool:
        if getattr(record, "status_code", 500) < 500:
            record.exc_info = None
        return True
