"""The pure engine: whose turn it is, what to say next, when to stop. No Django, no asyncio, no clock, no random."""
