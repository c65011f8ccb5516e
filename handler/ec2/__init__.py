"""Reads EC2's responses into the model."""
