"""Accounts in a database of their own, and what goes on while that one is down."""
