"""The SQL of provisioning."""
