"""The billing side: what is owed, paid and booked. Never imports business."""
