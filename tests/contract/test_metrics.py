"""What the metric filters look for is what the function logs."""

from infra import alarms
from tests.end_to_end.conftest import Deployed


def test_the_last_line_has_every_count(deployed: Deployed) -> None:
    """One line of a run matches the filters, and it has a number for each metric."""
    deployed.run()
    (line,) = [line for line in deployed.log() if line["message"] == alarms.FINISHED]
    assert {count: type(line[count]) for count in alarms.COUNTS} == dict.fromkeys(
        alarms.COUNTS, int
    )
