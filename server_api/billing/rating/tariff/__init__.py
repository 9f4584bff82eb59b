"""Tariffs as data: read from files with errors by row and field, and laid out as columns for the rater."""
