"""Everything that can go wrong, sorted by who can mend it.

Error
├── ConfigError   the user: what was asked for cannot be; says where and what would be right
├── Unreachable   time: the outside did not answer; the driver waits and tries again
├── Rejected      nobody now: the outside said no and would say no again; counted, put aside
└── StateError    the operator: what was stored does not fit this configuration or this version

Data is never an error. A bad value is NaN, and it is counted with a reason.
"""


class Error(Exception):
    """Root of all errors that are raised on purpose."""


class ConfigError(Error):
    """What the user asked for cannot be done as written."""


class Unreachable(Error):
    """The outside did not answer. `after` is how many seconds to wait, if it said; `absent` that
    what was never read is not there yet, which is no fault.
    """

    def __init__(self, message: str, after: float | None = None, absent: bool = False) -> None:
        super().__init__(message)
        self.after, self.absent = after, absent


class Rejected(Error):
    """The outside answered no, and would say no again. `mendable` says that the settings here or
    there are at fault and not what was said, so that it may be taken once they are put right.
    """

    def __init__(self, message: str, mendable: bool = False) -> None:
        super().__init__(message)
        self.mendable = mendable


class StateError(Error):
    """What was stored does not fit this configuration or this version."""
