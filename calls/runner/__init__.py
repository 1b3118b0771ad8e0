"""The shell around the engine: one runner per call, the only place with tasks, queues and a clock."""
