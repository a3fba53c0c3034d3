"""Every path under /api/v2 that is no endpoint's, and every method that an endpoint, /oauth/v2/token too, has not."""

from keywright.dialects import salesiq

handler = salesiq.catch_all()
