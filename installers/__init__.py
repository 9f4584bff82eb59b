"""How OneHall gets onto a machine: a developer's (bootstrap), a server, a Windows desk."""
