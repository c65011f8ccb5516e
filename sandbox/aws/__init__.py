"""An AWS account on this machine: moto, with what moto lacks in front of it."""
