"""One folder per kind of outside system; registry.py reads them."""
