"""`python -m benchmarks [--rows N] [--file FILE]`: the line, understanding, X's mapper, fifty sources at once."""

from benchmarks import line, many_sources, understanding, x_mapper

line.main()
print()
understanding.main()
print()
x_mapper.main()
print()
many_sources.main()
