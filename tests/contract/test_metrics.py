"""The metric filters match what the function logs."""

from infra import alarms
from tests.end_to_end.conftest import Deployed


def test_one_log_line_has_each_count(deployed: Deployed) -> None:
    """Exactly one log line of a run matches the filters; it has an integer for each metric."""
    deployed.run()
    (line,) = [line for line in deployed.log() if line["message"] == alarms.FINISHED]
    assert {count: type(line[count]) for count in alarms.COUNTS} == dict.fromkeys(
        alarms.COUNTS, int
    )
