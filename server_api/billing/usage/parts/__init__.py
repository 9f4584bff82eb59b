"""Parts of long calls that came in several files: they wait, are joined when the last is there, or are given up."""
