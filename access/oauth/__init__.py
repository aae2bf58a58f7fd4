"""OAuth 2: applications that act for a user, with as much as that user grants."""
