"""The till desk."""
