"""Benchmarks on real reports; `python benchmarks/run.py` runs them."""
