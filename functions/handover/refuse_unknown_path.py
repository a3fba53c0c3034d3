"""Every path under /h that is no link's, and every method that a link does not have."""

from keywright.dialects import handover

handler = handover.catch_all()
