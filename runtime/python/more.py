"""Requests that say more than their tool and its arguments."""


def answer_more(worker, slot, tool, arguments, more):
    """Runs a request of a session, one for a stream, or the end of a session."""
    session = more.get("session")
    if session is not None:
        part("sessions")
        if "end" in more:
            return end_session(worker, slot, session, more["end"])
        enter_session(slot, session)
    if tool is None:
        part("faults")
        return unknown_tool(worker)
    value = call(tool, arguments)
    if type(value) is Coroutine:
        value = finish(worker, slot, value)
    credit = more.get("credit")
    if credit is None:
        return outcome(value)
    part("streams")
    return stream(worker, slot, value, credit)
