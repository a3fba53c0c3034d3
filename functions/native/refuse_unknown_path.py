"""Every path under /v1 that is no endpoint's, and every method that an endpoint does not have."""

from keywright.dialects import native

handler = native.catch_all()
