"""Halls, counters, staff, roles, signing in."""
