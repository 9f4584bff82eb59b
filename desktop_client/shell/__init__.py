"""The main window and what all desks share: navigation, key bar, message bridge, session, acts being kept."""
