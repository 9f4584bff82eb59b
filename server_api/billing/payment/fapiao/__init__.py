"""Fapiao (数电票): asked for in an act, sent by a job, decided by an answer, a query or a person."""
