"""Requests, replies and facts, a file per slice. pydantic only; no database, no Qt."""
