"""Numbers, logins and cards: who has them, which are free, which are cooling."""
