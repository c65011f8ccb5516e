"""Renders reports for people and programs. Nothing here does I/O."""
