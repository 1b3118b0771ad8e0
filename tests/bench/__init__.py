"""Benchmarks: they print figures and assert nothing about time."""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as every process of Vantum has it, whatever is imported first
