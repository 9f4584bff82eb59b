"""The desks. Each: page.py builds widgets and connects, presenter.py decides and knows no Qt, models.py shows rows."""
