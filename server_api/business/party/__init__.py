"""Customers: who they are, how they are found, what billing is told of them."""
