"""SQLAlchemy tables (Core), ``business`` and ``billing``, a file per slice. A server extra: the client never imports it."""
