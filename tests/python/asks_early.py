"""An adapter that calls the host while it is imported."""
from snakepit_bridge import host

host.double(1)
