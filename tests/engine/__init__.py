"""Tests of the Pulumi engine over the sandbox account."""
