"""Local stand-ins for vendors, one for each family: `serve(...)` gives an address and the state behind it."""
