"""One file for each verb of the command line. Each has `run(arguments) -> int`, an exit code of `exits`."""
