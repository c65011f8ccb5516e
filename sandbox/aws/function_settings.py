"""The settings of a Lambda function that moto takes and forgets: logging and dead letters."""

import json
from typing import Any

from werkzeug.wrappers import Response

from sandbox.aws.protocol import Operation

_WRITES = frozenset({"CreateFunction", "UpdateFunctionConfiguration"})
_READS = frozenset(
    {"GetFunction", "GetFunctionConfiguration", "ListFunctions", "UpdateFunctionCode"}
)
_KEPT = ("DeadLetterConfig", "LoggingConfig")


class FunctionSettings:
    """What the account remembers about its functions beside moto, by region and name."""

    def __init__(self) -> None:
        self._settings: dict[tuple[str, str], dict[str, Any]] = {}

    def concerns(self, operation: Operation) -> bool:
        """Whether an operation of Lambda writes or shows these settings."""
        return operation.name in _WRITES | _READS

    def of(self, region: str, name: str) -> dict[str, Any]:
        """LoggingConfig with AWS's defaults, and DeadLetterConfig if there is one."""
        settings = self._settings.get((region, name), {})
        logging = {
            "LogFormat": "Text",
            "LogGroup": f"/aws/lambda/{name}",
            **settings.get("LoggingConfig", {}),
        }
        if logging["LogFormat"] == "JSON":
            logging = {"ApplicationLogLevel": "INFO", "SystemLogLevel": "INFO", **logging}
        letters = settings.get("DeadLetterConfig", {})
        return {
            "LoggingConfig": logging,
            **({"DeadLetterConfig": letters} if letters.get("TargetArn") else {}),
        }

    def amend(self, operation: Operation, response: Response) -> Response:
        """Keep what a successful request sets; show it in the answer."""
        answer = json.loads(response.get_data())
        listed = answer.get("Functions", [answer.get("Configuration", answer)])
        for configuration in listed:
            key = (operation.region, configuration["FunctionName"])
            if operation.name == "CreateFunction":
                self._settings[key] = {}
            if operation.name in _WRITES:
                sent = {name: operation.parameters.get(name) for name in _KEPT}
                self._settings.setdefault(key, {}).update(
                    {name: value for name, value in sent.items() if value is not None}
                )
            configuration.update(self.of(*key))
        response.set_data(json.dumps(answer))
        return response
