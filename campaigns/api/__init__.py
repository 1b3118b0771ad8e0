"""The REST API under ``/api/v1/``. Loaded when the first request for it comes: see ``vantum.lazy``."""
