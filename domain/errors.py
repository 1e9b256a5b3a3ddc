"""One tree of errors, ordered by what to do next.

ComptoirError
├── ConfigurationError   a person must act: says which setting and where
├── InputError           a file or an argument cannot be used: says what to change in it
├── StorageError         the store cannot write (disk full, read-only, unreachable): says what to free or start
├── TransientError       try again later, after `retry_after` if the other side said so
│   └── OutcomeUnknownError  we sent, and do not know whether it arrived: read back before sending again
├── RefusedError         the other side understood and said no: do not try again
├── ContractError        the other side answered in a shape we do not know
└── StaleError           somebody else changed it since it was read: show the new state

Messages are for people: what happened, what was kept, what to do. Anything else that is raised is a bug and travels up.
"""

from datetime import timedelta


class ComptoirError(Exception):
    """Base of all errors that Comptoir raises on purpose."""


class ConfigurationError(ComptoirError):
    """A person must act. The message names the setting and where to change it."""


class InputError(ComptoirError):
    """What was handed in cannot be used. The message says what to change in it."""


class StorageError(ComptoirError):
    """The store cannot write. Nothing of the current step was kept; what came before is safe."""


class TransientError(ComptoirError):
    """Worth another try later.

    Args:
        message: what happened, for a person.
        retry_after: how long the other side asked us to wait, if it said so.
    """

    def __init__(self, message: str, *, retry_after: timedelta | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class OutcomeUnknownError(TransientError):
    """The request left and no answer came: it may have been carried out."""


class RefusedError(ComptoirError):
    """The other side understood the request and refused it; sending it again would not help."""


class ContractError(ComptoirError):
    """The other side answered in a shape we do not know."""


class StaleError(ComptoirError):
    """The row was changed by somebody else since it was read."""
