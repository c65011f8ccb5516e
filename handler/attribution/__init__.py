"""Finds out who opened a finding, from CloudTrail's records of API calls."""
