"""The server: a thin edge over thick rules, on two databases."""
