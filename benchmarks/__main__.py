"""`python -m benchmarks [--rows N] [--file FILE]`."""

from benchmarks.line import main

main()
