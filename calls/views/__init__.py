"""Pages and files over HTTP."""
