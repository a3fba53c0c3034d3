"""Keywright's shared layer: the core, the dialects and the adapters.

Nothing is re-exported here: whoever imports a module of the layer imports this one first, and a verification does
without most of them. The core's vocabulary is in `kinds`, `grants`, `model`, `ports`, `errors`; the deeds are modules
of their own: `issuing`, `lifecycle`, `registry`, `verification`, `sweeping`.
"""
