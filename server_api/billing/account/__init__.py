"""Billing accounts: opening, books, standing, and the copy of who pays."""
