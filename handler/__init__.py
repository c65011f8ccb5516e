"""The security-group audit as AWS Lambda runs it: standard library and the runtime's boto3."""

import gc

# Garbage collection would take half of an audit's CPU time, and finds almost no cycles. Set before
# the imports, which make many objects too.
gc.set_threshold(250_000)

VERSION = "2.0"
"""The version of the audit; the format of reports has its own."""
