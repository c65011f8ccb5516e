"""Runs functions as Lambda does: their zip in a process of its own, with boto3 only."""
