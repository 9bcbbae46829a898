"""When a job is tried again, and how often."""

from mediabox.model.backoff import Backoff

JOBS = Backoff(first_s=5.0, longest_s=3600.0, spread=0.5)
ATTEMPTS = 8  # over about two hours; then a person or `mediabox retry` decides
BUG_ATTEMPTS = 3  # an error nobody raised on purpose rarely heals
