"""Every path under the dialect's prefixes that is no endpoint's, and every method that an endpoint does not have."""

from keywright.dialects import voltmx

handler = voltmx.catch_all()
