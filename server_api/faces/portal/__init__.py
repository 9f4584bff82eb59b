"""The HTML face: /portal/…, for field staff on a phone and for anyone with a browser."""
