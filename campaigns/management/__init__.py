"""Management of calls from the command line."""
