"""Devices at the counter. Each kind: an interface, a registry, one file a model, and a simulator that ships."""
