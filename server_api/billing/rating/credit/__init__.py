"""Credit control of prepaid accounts, and price questions: what a call would cost, and how long a balance lasts."""
