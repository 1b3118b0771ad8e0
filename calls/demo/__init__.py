"""The agent that an empty installation starts with."""

from calls.demo.agent import DEMO_AGENT, demo_content

__all__ = ["DEMO_AGENT", "demo_content"]
