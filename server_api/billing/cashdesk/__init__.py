"""Tills, papers and their numbers."""
