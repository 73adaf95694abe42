"""Points per second on one core and bytes of state per series, for the default detectors.

    python benchmarks/speed.py [--series 1 --series 1000 --series 100000] [--json]

The same as `amiss benchmark speed`.
"""

from amiss.cli.benchmark import benchmark

if __name__ == "__main__":
    import sys

    benchmark(["speed", *sys.argv[1:]], prog_name="benchmarks")
