"""The histories of the two databases: ``business`` and ``billing``, one environment for both."""
