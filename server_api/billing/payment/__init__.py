"""Payments: allocation, taking, reversing, refunding, and settling from books."""
