"""The audit from a terminal: ``python -m cli``."""
