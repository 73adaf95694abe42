"""Drivers: the same step live, over history, and in worker processes."""
