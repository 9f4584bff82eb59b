"""Orders: accepted, planned, carried out step by step, taken back."""
