"""No waiting for the disk: what a killed process wrote is there with or without `fsync`. That it is called has its own test."""

import os

import pytest


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", lambda _descriptor: None)
