"""What both sides stand on: databases, acts, facts, jobs, numbering, locks, audit, secrets. Knows no business."""
