"""Every path under /v2 and /sc/v2 that is no endpoint's, and every method that an endpoint does not have."""

from keywright.dialects import sunshine

handler = sunshine.catch_all()
