"""A call held by one process is watched by way of another one: Redis between them."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest
from channels_redis.pubsub import RedisPubSubChannelLayer

from calls.consumers import watching
from calls.consumers.watching import CALLS_GROUP, Gallery, Watch, ask_to_watch, watchers_group

pytestmark = pytest.mark.live


@pytest.fixture
def processes(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> tuple[Any, Any]:
    """The layer of the process that holds the call, and that of the one that serves the watcher's page."""
    prefix = f"test-{uuid4().hex}"
    holder, page = (RedisPubSubChannelLayer(hosts=[redis_url], prefix=prefix) for _ in range(2))
    monkeypatch.setattr(watching, "get_channel_layer", lambda: holder)
    return holder, page


async def test_a_watcher_in_another_process_is_told_what_is_said(processes: tuple[Any, Any]) -> None:
    holder, page = processes
    attempt_id, gallery, watch = uuid4(), Gallery(), Watch()
    channel = await page.new_channel()
    await page.group_add(watchers_group(attempt_id), channel)
    gallery.add(attempt_id, watch)
    watch.complete_reply(1, "Good day, ¿qué tal?")
    try:
        async with asyncio.timeout(10):
            receiving = asyncio.create_task(page.receive(channel))
            while not receiving.done():
                await page.group_send(CALLS_GROUP, dict(ask_to_watch(attempt_id, is_new=True)))
                await asyncio.wait({receiving}, timeout=0.2)
        told = receiving.result()
        assert (told["state"], [turn["text"] for turn in told["turns"]]) == ("INITIALIZING", ["Good day, ¿qué tal?"])
    finally:
        gallery.discard(attempt_id, watch)
        await asyncio.sleep(0)
        for layer in (holder, page):
            await layer.flush()
