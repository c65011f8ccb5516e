"""Exposures to findings: severity, names of services, commands. Nothing here does I/O."""
