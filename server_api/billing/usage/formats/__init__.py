"""Kinds of usage files: found by content, cut into pieces, decoded to canonical records."""
