"""The login desk."""
