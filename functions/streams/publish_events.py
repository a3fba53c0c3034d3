"""Started by the table's stream: hands every committed event to the bundle's EventBridge bus, at least once."""

from keywright import bootstrap
from keywright.streams import EventFollower

handler = EventFollower("publish_events", lambda events: bootstrap.event_bus().publish(events))
