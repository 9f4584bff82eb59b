"""Refusals, one file per slice; see base.py."""
