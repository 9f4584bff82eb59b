"""Fixed-line switches by MML."""
