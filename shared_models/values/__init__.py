"""Pure values: money, time, numbers, faults, permissions. No I/O, no framework, no Qt."""
