"""The catalogue's part of the REST API."""
