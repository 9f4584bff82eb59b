"""The business side: who the customers are and what they have. Never imports billing."""
