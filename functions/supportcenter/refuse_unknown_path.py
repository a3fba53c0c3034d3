"""Every path under /api/json, /api/xml, /sdpapi and /api/v3 that is no endpoint's, and every method that an endpoint
does not have; refused in the style of the prefix."""

from keywright.dialects import supportcenter

handler = supportcenter.catch_all()
