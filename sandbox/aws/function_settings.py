"""The logging of a Lambda function, which moto takes and forgets."""

import json
from typing import Any

from werkzeug.wrappers import Response

from sandbox.aws.protocol import Operation

_WRITES = frozenset({"CreateFunction", "UpdateFunctionConfiguration"})
_READS = frozenset(
    {"GetFunction", "GetFunctionConfiguration", "ListFunctions", "UpdateFunctionCode"}
)


class FunctionSettings:
    """What the account remembers about its functions beside moto, by region and name."""

    def __init__(self) -> None:
        self._logging: dict[tuple[str, str], dict[str, Any]] = {}

    def concerns(self, operation: Operation) -> bool:
        """Whether an operation of Lambda writes or shows these settings."""
        return operation.name in _WRITES | _READS

    def logging(self, region: str, name: str) -> dict[str, Any]:
        """The function's LoggingConfig, with AWS's defaults."""
        given = self._logging.get((region, name), {})
        logging = {"LogFormat": "Text", "LogGroup": f"/aws/lambda/{name}", **given}
        levels = {"ApplicationLogLevel": "INFO", "SystemLogLevel": "INFO"}
        return {**levels, **logging} if logging["LogFormat"] == "JSON" else logging

    def amend(self, operation: Operation, response: Response) -> Response:
        """Keep what a successful request sets; show it in the answer."""
        answer = json.loads(response.get_data())
        for configuration in answer.get("Functions", [answer.get("Configuration", answer)]):
            key = (operation.region, configuration["FunctionName"])
            if operation.name == "CreateFunction":
                self._logging.pop(key, None)
            if operation.name in _WRITES and (given := operation.parameters.get("LoggingConfig")):
                self._logging[key] = given
            configuration["LoggingConfig"] = self.logging(*key)
        response.set_data(json.dumps(answer))
        return response
