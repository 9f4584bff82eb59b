"""What the tests share: databases, clocks, a small town."""
