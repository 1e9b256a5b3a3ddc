"""Several runs averaged in weight space: runs that share a start and differ in seed or mixture, often better than each.

Source: Wortsman et al. 2022, "Model soups". Whether to ship the average is decided on val, like everything else.
"""

import argparse
import logging
from collections.abc import Sequence
from pathlib import Path

import torch

from nlp.train.model import Network, restore, save

_log = logging.getLogger(__name__)


def average(networks: Sequence[Network]) -> Network:
    """The mean of the weights.

    Raises:
        ValueError: the networks have different sizes.
    """
    first = networks[0]
    if any(network.sizes != first.sizes for network in networks):
        raise ValueError("Only networks of the same sizes can be averaged.")
    states = [network.state_dict() for network in networks]
    mean = Network(first.sizes)
    mean.load_state_dict({name: torch.stack([state[name] for state in states]).mean(dim=0) for name in states[0]})
    mean.eval()
    return mean


def main() -> None:
    """Average the networks of several runs."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("networks", type=Path, nargs="+", help="network.pt of each run")
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    save(average([restore(path) for path in arguments.networks]), arguments.out)
    _log.info("%d networks averaged: %s", len(arguments.networks), arguments.out)


if __name__ == "__main__":
    main()
