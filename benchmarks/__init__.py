"""Measures the costs of the audit and of the straightforward way side by side."""
