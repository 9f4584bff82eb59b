"""Facts: how news crosses from one database to the other, in order per aggregate, once."""
