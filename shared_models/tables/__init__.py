"""SQLAlchemy tables (Core), ``business`` and ``billing``, a file per slice. For the server alone."""
