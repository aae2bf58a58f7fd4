"""Bringing products in from spreadsheets: read, look at, then carry out."""
