"""The WebSocket doors: a frame in becomes an event of the call, what the call shows becomes a frame out."""
