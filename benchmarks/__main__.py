"""`python -m benchmarks [--rows N] [--file FILE]`: the line, understanding, then X's mapper."""

from benchmarks import line, understanding, x_mapper

line.main()
print()
understanding.main()
print()
x_mapper.main()
