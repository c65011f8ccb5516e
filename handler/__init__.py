"""The security-group audit as AWS Lambda runs it: standard library and the runtime's boto3."""

import gc

# Half of an audit's CPU would go into looking for cycles, of which it makes next to none. Before
# the imports, which make many objects too.
gc.set_threshold(250_000)

VERSION = "2.0"
"""Of the audit; the reports' format has a version of its own."""
