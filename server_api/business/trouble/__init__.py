"""Faults and complaints: taken, looked into, sent out, passed up, resolved, asked about."""
