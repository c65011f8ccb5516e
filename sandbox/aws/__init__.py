"""An AWS account on this machine: moto, and a front that adds what moto lacks."""

import os

# moto makes a session of boto3 when it is imported, and that fails if AWS_PROFILE names a profile
# that is not there. Nothing in this account belongs to the caller's profiles.
_PROFILE = os.environ.pop("AWS_PROFILE", None)

import moto.core  # noqa: E402, F401 -- see above

if _PROFILE is not None:
    os.environ["AWS_PROFILE"] = _PROFILE
