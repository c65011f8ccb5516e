"""The security-group audit as AWS Lambda runs it: standard library and the runtime's boto3."""

VERSION = "2.0"
"""Of the audit; the reports' format has a version of its own."""
