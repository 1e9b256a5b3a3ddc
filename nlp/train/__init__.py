"""The recipe that makes the weights: base, data, pruning, fine-tuning, calibration, quantisation, model card.

Needs the extra `train`; nothing at run time imports this package. Each module is also a command (`python -m
nlp.train.fit --help`); docs/training.md gives their order, their hours and what they reached. To add a data set, add
a row to `SOURCES` in sources.py; to add a head, a row to `HEADS` in heads.py.
"""
