"""Revisions of the business database."""
