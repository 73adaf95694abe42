"""For all tests: what hypothesis finds it finds every time, and no deadline is kept."""

from hypothesis import HealthCheck, settings

settings.register_profile(
    "amiss",
    max_examples=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.differing_executors],
)
settings.load_profile("amiss")
