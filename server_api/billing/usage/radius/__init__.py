"""Sessions as RADIUS tells them: cumulative counters, repeated and late messages, and what each was used since."""
