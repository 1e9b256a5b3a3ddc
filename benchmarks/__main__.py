"""`python -m benchmarks [--rows N] [--file FILE]`: the line, then understanding."""

from benchmarks import line, understanding

line.main()
print()
understanding.main()
