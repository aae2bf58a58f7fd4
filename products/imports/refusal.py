"""What an import says when it refuses."""


class Refused(Exception):
    """Nothing was done, and why, in sentences for the person who tried."""
