"""The kill test's parts; ``python -m tests.bench.kill_test`` runs it."""
