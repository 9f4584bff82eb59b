"""The teller's desktop client. Talks to the server over HTTP only; holds no tables, no SQLAlchemy, no price rules."""
