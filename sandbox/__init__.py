"""An AWS account on this machine, with its Lambda service and an engine that deploys to it."""
