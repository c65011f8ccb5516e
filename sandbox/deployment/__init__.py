"""Deploys a Pulumi project into the account on this machine."""
