"""Taking over the old systems. Composed above both sides: every step is an act on one of them."""
