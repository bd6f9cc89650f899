//! What workers send: replies, errors and items, each for a request that the worker has, or it is of no more use.

use std::fmt;
use std::sync::Arc;

use super::super::connection::Connection;
use super::super::frame::{Frame, Kind};
use super::super::request::{Outcome, Waiter};
use super::Dispatch;

/// What a worker sent and nobody asked for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Unasked {
    Answer(u32),
    Item(u32),
    Pong(u32),
    Calls,
}

impl fmt::Display for Unasked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Answer(request) => {
                write!(f, "it answered request {request}, which it did not have")
            }
            Self::Item(request) => write!(
                f,
                "it sent an item for request {request}, which had no room for one"
            ),
            Self::Pong(ping) => write!(f, "it answered ping {ping}, which was not under way"),
            Self::Calls => f.write_str(
                "it called functions of the program on and on, and did not read what they gave",
            ),
        }
    }
}

impl Dispatch {
    /// Requests that a worker has answered.
    pub(crate) fn answers(&self, seat: usize) -> u64 {
        self.seats[seat].answered
    }

    /// A worker answered. Workers get their next requests with [`Dispatch::fill`], once for all answers of a read.
    pub(crate) fn answered(&mut self, seat: usize, frame: Frame) -> Result<(), Unasked> {
        let unasked = Unasked::Answer(frame.request);
        let outcome = match frame.kind {
            Kind::Reply => Outcome::Reply(frame.body),
            Kind::Error => Outcome::Error(frame.body.json),
            Kind::Item => return self.item(seat, frame),
            _ => return Err(unasked),
        };
        let request = self.seats[seat].take(frame.request).ok_or(unasked)?;
        if let Some(session) = &request.session {
            self.sessions.used(&session.id);
        }
        self.requests += 1;
        self.errors += u64::from(matches!(outcome, Outcome::Error(_)));
        if matches!(request.waiter, Waiter::Call(_)) {
            self.latencies.record(request.made.elapsed());
        }
        self.seats[seat].answer(request, outcome);
        Ok(())
    }

    /// The worker at the other end.
    pub(crate) fn at(&self, connection: &Arc<Connection>) -> Option<usize> {
        self.seats.iter().position(|seat| seat.is_at(connection))
    }

    /// Whether a worker may be asked for the answer of this request.
    pub(crate) fn runs(&self, seat: usize, ticket: u32) -> bool {
        let mut running = self.seats[seat].running();
        running.any(|request| request.ticket == ticket)
    }

    /// A caller has stayed awake for the reply of a worker, and none came.
    pub(crate) fn was_awake_in_vain(&mut self, seat: usize) {
        self.seats[seat].awake.failed();
    }

    /// A worker sent one item of a stream, for which there has to be room.
    fn item(&mut self, seat: usize, frame: Frame) -> Result<(), Unasked> {
        let unasked = || Unasked::Item(frame.request);
        let index = self.seats[seat]
            .running()
            .position(|request| request.ticket == frame.request)
            .ok_or_else(unasked)?;
        let Waiter::Stream {
            items,
            credit,
            begun,
        } = &mut self.seats[seat].sent[index].waiter
        else {
            return Err(unasked());
        };
        *credit = credit.checked_sub(1).ok_or_else(unasked)?;
        *begun = true;
        let _ = items.send((Outcome::Item(frame.body), None));
        Ok(())
    }

    /// The reader of a stream has room for more items.
    pub(crate) fn grant(&mut self, ticket: u32, count: u32) {
        for seat in &mut self.seats {
            let mut sent = seat.sent.iter_mut();
            if let Some(request) = sent.find(|request| request.ticket == ticket) {
                if let Waiter::Stream { credit, .. } = &mut request.waiter {
                    *credit += count;
                }
                seat.control(ticket, Kind::Credit, count.into());
                return;
            }
        }
    }
}
