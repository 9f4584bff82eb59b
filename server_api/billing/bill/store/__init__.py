"""The bill slice's SQL, by what it is for: what a run reads, bills, runs, billing's copies."""
