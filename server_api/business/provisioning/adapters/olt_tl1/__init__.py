"""Optical line terminals by TL1, over the maker's network manager."""
