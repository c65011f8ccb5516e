"""Reads the policy of a stack and applies it to findings."""
