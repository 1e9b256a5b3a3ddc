"""Speed and scale, one command (`make bench`), ratios side by side in one run; never a timed test."""
