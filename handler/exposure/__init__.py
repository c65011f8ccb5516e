"""Works out which part of the internet reaches which ports. Nothing here does I/O."""
