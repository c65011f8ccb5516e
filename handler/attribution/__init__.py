"""Who opened what is new: CloudTrail's records of API calls, and the findings they opened."""
