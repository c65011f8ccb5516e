"""Turns exposures into findings with severity, service and commands. Nothing here does I/O."""
