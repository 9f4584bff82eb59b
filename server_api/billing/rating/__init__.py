"""Rating: which tariff prices a call, what it comes to, and why."""
