"""The second factor: codes of an app, recovery codes, and who has to give them."""
