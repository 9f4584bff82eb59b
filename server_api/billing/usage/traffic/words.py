"""Directions of traffic at a trunk group, as they are stored."""

from __future__ import annotations

WITHIN, INCOMING, OUTGOING = 0, 1, 2
DIRECTION_NAMES = {WITHIN: "within", INCOMING: "in", OUTGOING: "out"}
