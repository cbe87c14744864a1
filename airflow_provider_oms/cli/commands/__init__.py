"""One module per command: ``run`` carries it out and returns its exit code."""
