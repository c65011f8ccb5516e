"""The audit's vocabulary as frozen data."""
