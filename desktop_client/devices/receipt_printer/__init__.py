"""Receipt printers. See base.py for the interface and the legal order of calls."""
