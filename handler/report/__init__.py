"""The report in the forms that people and programs read; nothing here does I/O."""
