"""The logging settings of Lambda functions, which moto does not store."""

import json
from typing import Any

from werkzeug.wrappers import Response

from sandbox.aws.protocol import Operation

_WRITES = frozenset({"CreateFunction", "UpdateFunctionConfiguration"})
_READS = frozenset(
    {"GetFunction", "GetFunctionConfiguration", "ListFunctions", "UpdateFunctionCode"}
)


class FunctionSettings:
    """The settings of the account's functions that moto lacks, by region and name."""

    def __init__(self) -> None:
        self._logging: dict[tuple[str, str], dict[str, Any]] = {}

    def concerns(self, operation: Operation) -> bool:
        """Whether an operation of Lambda writes or shows these settings."""
        return operation.name in _WRITES | _READS

    def logging(self, region: str, name: str) -> dict[str, Any]:
        """The function's LoggingConfig, with AWS's defaults."""
        config = self._logging.get((region, name), {})
        logging = {"LogFormat": "Text", "LogGroup": f"/aws/lambda/{name}", **config}
        levels = {"ApplicationLogLevel": "INFO", "SystemLogLevel": "INFO"}
        return {**levels, **logging} if logging["LogFormat"] == "JSON" else logging

    def amend(self, operation: Operation, response: Response) -> Response:
        """The response with the settings, after storing those of a successful request."""
        answer = json.loads(response.get_data())
        for configuration in answer.get("Functions", [answer.get("Configuration", answer)]):
            key = (operation.region, configuration["FunctionName"])
            if operation.name == "CreateFunction":
                self._logging.pop(key, None)
            if operation.name in _WRITES and (config := operation.parameters.get("LoggingConfig")):
                self._logging[key] = config
            configuration["LoggingConfig"] = self.logging(*key)
        response.set_data(json.dumps(answer))
        return response
