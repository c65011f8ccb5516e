"""Tests of the account on this machine and of the Lambda host."""
