"""A worker behind a container's engine, which has pipes, or one that is a gRPC server: everything comes through one of
them, in turn."""


def hand_on(worker):
    """The thread that listens to the host takes in all that comes, as it comes, and hands the requests on."""
    if worker.loop is None:
        from _queue import SimpleQueue

        queue = SimpleQueue()
        worker.read, worker.deliver = queue.get, queue.put
    else:
        worker.deliver = worker.loop.deliver
    return worker.inbox
