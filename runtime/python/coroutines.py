"""`async def` tools in a worker that has no event loop of its own."""
loops = {}


def run_to_end(slot, coroutine):
    """Runs an `async def` tool to its end, on an event loop that the thread keeps."""
    loop = loops.get(slot.thread)
    if loop is None:
        from asyncio import new_event_loop

        loop = loops[slot.thread] = new_event_loop()
    request = slot.request

    def cancel():
        if slot.target == request == slot.request:
            slot.target = None
            task.cancel()

    # An interrupt would leave the task half done on a loop that others use after it.
    slot.leave()
    task = loop.create_task(coroutine)
    slot.stop = lambda: loop.call_soon_threadsafe(cancel)
    if slot.target is not None:
        cancel()
    try:
        return loop.run_until_complete(task)
    finally:
        slot.stop = None
