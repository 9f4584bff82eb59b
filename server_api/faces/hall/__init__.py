"""The REST face for the desktop client and for agents: /api/hall/…"""
