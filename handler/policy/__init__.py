"""The policy of a stack: strictly read, and applied to findings."""
