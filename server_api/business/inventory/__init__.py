"""Installed products and what billing is told of them."""
