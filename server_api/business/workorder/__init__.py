"""Field work: opened by orders and faults, promised, dispatched, done, signed."""
