"""One module a command: ``run`` carries it out and returns its exit code."""
