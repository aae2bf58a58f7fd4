"""The REST API's frame: formats, problems, paging, throttles, and its description."""
