"""Deploys a Pulumi project into the account on this machine."""

import os

# Everything here talks over loopback; gRPC would ask the caller's proxy for it.
for _name in ("no_grpc_proxy", "NO_PROXY", "no_proxy"):
    os.environ[_name] = ",".join(filter(None, [os.environ.get(_name), "127.0.0.1,localhost"]))
