"""The tests of OneHall; what they share is in tests/support."""
