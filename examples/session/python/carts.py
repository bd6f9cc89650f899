"""The tools of the example `session`: a cart for each session."""
from snakepit_bridge import host, on_session_end, session


def put(article, cents):
    session.setdefault("cart", []).append((article, cents))


def total():
    return [session.id, sum(cents for _, cents in session.get("cart", ()))]


@on_session_end
def order(session, why):
    if why == "ended":
        host.order(session.id, [article for article, _ in session.get("cart", ())])
