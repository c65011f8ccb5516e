"""The security-group audit as AWS Lambda runs it: standard library and the runtime's boto3."""
