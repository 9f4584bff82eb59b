"""Joined reads over both databases: no SQL of their own, no writes; each part comes from its slice's service."""
