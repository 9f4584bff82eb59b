"""Widgets used by more than one desk."""
