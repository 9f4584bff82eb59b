"""A synthetic town, written as the three old systems would have exported it."""
