"""For all tests: what hypothesis finds it finds every time, and no deadline is kept. Ctrl-C ends
what tests start, as it does in a terminal.
"""

import signal

from hypothesis import HealthCheck, settings

settings.register_profile(
    "amiss",
    max_examples=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.differing_executors],
)
settings.load_profile("amiss")

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # as in the background of a script, and every program that is started would inherit it
    signal.signal(signal.SIGINT, signal.default_int_handler)
