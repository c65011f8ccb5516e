"""Faults of an AWS account: throttling, denial, time-outs, refused mail and more."""

import threading
from dataclasses import dataclass
from math import inf

from sandbox.aws.protocol import Operation


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault of the requests that match; None and "*" match all of them.

    It happens to ``times`` requests (None: all), after ``skip`` that are answered.
    ``delay`` is in seconds and comes before the answer: ``math.inf`` never answers. A fault without
    a code only delays, unless it drops the connection, garbles the answer or kills the function
    that asks. ``containing`` is text that the request's path or body must have, for example an
    account's id. With ``answered`` the request is carried out before the fault happens.
    """

    operation: str
    region: str | None = None
    code: str | None = None
    message: str = ""
    status: int = 400
    times: int | None = None
    skip: int = 0
    delay: float = 0.0
    drop: bool = False
    garble: bool = False
    caller: str | None = None
    containing: str = ""
    kill: bool = False
    answered: bool = False

    def matches(self, operation: Operation) -> bool:
        """Whether the request is one of those that the fault is for."""
        return (
            self.operation in ("*", operation.name)
            and self.region in (None, operation.region)
            and self.caller in (None, operation.caller)
            and (
                not self.containing
                or self.containing.encode() in operation.request.path.encode() + operation.body
            )
        )


class Faults:
    """The faults of an account, in the order in which they were added; the first match happens."""

    def __init__(self) -> None:
        self._left: list[tuple[Fault, int, float]] = []  # with those to skip, and then to hit
        self._lock = threading.Lock()

    def add(self, fault: Fault) -> None:
        """Add a fault."""
        with self._lock:
            times = inf if fault.times is None else fault.times
            self._left.append((fault, fault.skip, times))

    def clear(self) -> None:
        """Remove all faults."""
        with self._lock:
            self._left.clear()

    def take(self, operation: Operation) -> Fault | None:
        """The first fault that matches the request, counted as happened; None if none does."""
        with self._lock:
            for index, (fault, skip, left) in enumerate(self._left):
                if left > 0 and fault.matches(operation):
                    self._left[index] = (fault, skip - 1, left) if skip else (fault, 0, left - 1)
                    return None if skip else fault
        return None

    def throttle(
        self, operation: str, times: int | None = None, *, caller: str | None = None
    ) -> None:
        """Answer RequestLimitExceeded, as EC2 does, the given number of times."""
        message = "Request limit exceeded."
        self.add(
            Fault(
                operation,
                code="RequestLimitExceeded",
                message=message,
                status=503,
                times=times,
                caller=caller,
            )
        )

    def deny(self, operation: str, region: str | None = None, *, caller: str | None = None) -> None:
        """Answer UnauthorizedOperation, as EC2 does under a service control policy."""
        message = "You are not authorized to perform this operation."
        self.add(
            Fault(
                operation,
                region=region,
                code="UnauthorizedOperation",
                message=message,
                status=403,
                caller=caller,
            )
        )

    def drop(
        self,
        operation: str,
        region: str | None = None,
        times: int | None = None,
        *,
        caller: str | None = None,
    ) -> None:
        """Close the connection without an answer."""
        self.add(Fault(operation, region=region, times=times, drop=True, caller=caller))

    def refuse_mail(
        self,
        code: str = "MessageRejected",
        message: str = "Email address is not verified.",
        times: int | None = None,
    ) -> None:
        """Refuse mail."""
        self.add(Fault("SendEmail", code=code, message=message, times=times))
