"""The vocabulary of the audit as frozen data."""
