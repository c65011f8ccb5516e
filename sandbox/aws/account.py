"""An AWS account on this machine: moto behind a front that adds what moto lacks."""

import logging
import os
import threading
from functools import cache
from http import HTTPStatus
from types import TracebackType
from typing import Any, Self

import boto3
import botocore.session
from botocore.config import Config
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.moto_api._internal.models import moto_api_backend
from moto.moto_server.werkzeug_app import MotoRequestHandler
from moto.organizations.models import organizations_backends
from werkzeug.serving import BaseWSGIServer, make_server
from werkzeug.wrappers import Response

from sandbox.aws.callers import OWNER, owner_of
from sandbox.aws.events import EventBus
from sandbox.aws.faults import Faults
from sandbox.aws.front import Call, Front
from sandbox.aws.functions import SECRETS, Functions
from sandbox.aws.mail import Mail
from sandbox.aws.state_machines import StateMachines

# Thirteen hundred machine images in each region would cost half a second there.
os.environ.setdefault("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")

# A function may run for 15 minutes; everything else here answers at once or is a fault.
_READ_TIMEOUTS = {"lambda": 910}


# One for the process, because it loads botocore's models; deaf to the user's AWS configuration.
_SESSION = boto3.Session(
    botocore_session=botocore.session.Session(
        {
            "config_file": (None, None, os.devnull, None),
            "credentials_file": (None, None, os.devnull, None),
            "profile": (None, None, None, None),
        }
    )
)
_CLIENTS: dict[tuple[str, str, str], Any] = {}
_CLIENTS_LOCK = threading.Lock()


class _QuietHandler(MotoRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Log nothing: ``Account.calls`` has every request."""


_no_account = Response(status=HTTPStatus.SERVICE_UNAVAILABLE)


@cache
def _server() -> BaseWSGIServer:
    """The server of the process, whose application is the account that is entered.

    It outlives accounts because clients are bound to its address and take up to 50 ms to make.
    """
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = make_server("127.0.0.1", 0, _no_account, threaded=True, request_handler=_QuietHandler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def _client(service: str, region: str, key: str) -> Any:
    """A boto3 client of the account that is entered, signed with an access key."""
    with _CLIENTS_LOCK:
        if (service, region, key) not in _CLIENTS:
            _CLIENTS[service, region, key] = _SESSION.client(  # type: ignore[call-overload]
                service,
                region_name=region,
                endpoint_url=f"http://127.0.0.1:{_server().server_port}",
                aws_access_key_id=key,
                aws_secret_access_key=SECRETS["AWS_SECRET_ACCESS_KEY"],
                config=Config(
                    connect_timeout=5,
                    read_timeout=_READ_TIMEOUTS.get(service, 60),
                    retries={"total_max_attempts": 1},
                    max_pool_connections=32,
                    proxies={},
                ),
            )
        return _CLIENTS[service, region, key]


class Account:
    """An AWS account on this machine: moto behind a front that adds what moto lacks.

    One at a time in a process, because moto's state belongs to the process. Entering it makes it
    empty. Everything listens on 127.0.0.1.
    """

    id = DEFAULT_ACCOUNT_ID

    def __init__(self) -> None:
        self.faults = Faults()
        self.endpoint = ""

    def __enter__(self) -> Self:
        # moto makes sessions of its own, which fail when this names a profile that is not there.
        self._profile = os.environ.pop("AWS_PROFILE", None)
        moto_api_backend.reset()
        organizations_backends.master_accounts.clear()  # moto's reset keeps who was in which
        self._front = Front(self.faults)
        self.networks = self._front.networks
        self.history = self._front.history
        self.stack_sets = self._front.stack_sets
        server = _server()
        self.endpoint = f"http://127.0.0.1:{server.server_port}"
        self.functions = Functions(
            self.endpoint, self.id, self._front.settings, self._front.callers, _client
        )
        self._front.handlers["lambda", "Invoke"] = self.functions.serve
        self._front.failing.kill = self.functions.kill
        self.state_machines = StateMachines(self.id, self._front.callers, _client)
        self._front.prepare_state_machines = self.state_machines.prepare
        self.events = EventBus(self.id, self.client, self.functions.start)
        self._front.handlers["events", "PutEvents"] = self.events.serve
        server.app = self._front
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._front.failing.closing.set()
        self.state_machines.close()
        self.functions.close()
        _server().app = _no_account
        if self._profile is not None:
            os.environ["AWS_PROFILE"] = self._profile

    @property
    def calls(self) -> list[Call]:
        """Every request that reached the account, in order."""
        return self._front.calls

    def client(
        self,
        service: str,
        region: str = "eu-west-1",
        account_id: str = DEFAULT_ACCOUNT_ID,
        *,
        key: str | None = None,
    ) -> Any:
        """A boto3 client of this or another account, signed with its owner's key or this one.

        It does not retry.
        """
        return _client(service, region, key or owner_of(account_id))

    def opt_in(self, region: str, account_id: str = DEFAULT_ACCOUNT_ID) -> None:
        """Enable a region that is not enabled by default."""
        self._front.regions.opt_in(account_id, region)

    def environment(self, region: str = "eu-west-1") -> dict[str, str]:
        """The environment variables with which another process works in this account."""
        return {
            **SECRETS,
            "AWS_ACCESS_KEY_ID": OWNER,
            "AWS_DEFAULT_REGION": region,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_REGION": region,
            "NO_PROXY": "127.0.0.1",
        }

    def mails(self) -> list[Mail]:
        """All mail that SES accepted, in order, in any region."""
        return list(self._front.mails)
