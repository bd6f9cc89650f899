//! Which worker a session belongs to, and which ones hold something of it. It knows nothing of requests.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

/// The sessions of a pool.
#[derive(Debug)]
pub(crate) struct Sessions {
    /// How long one may lie unused.
    timeout: Duration,
    known: HashMap<Arc<str>, Session>,
    /// How many are at home with each worker.
    homes: Vec<usize>,
}

#[derive(Debug)]
struct Session {
    home: Home,
    /// Workers that have run a request of it.
    visited: Vec<usize>,
    used: Instant,
}

/// The worker that a session belongs to: the last one that was given a request of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Home {
    /// It has not been given to any.
    None,
    Seat(usize),
    /// It has gone, and what it held of the session with it.
    Lost,
}

/// A session that is over, and the workers that hold something of it.
pub(crate) type Ended = (Arc<str>, Vec<usize>);

impl Sessions {
    pub(crate) fn new(timeout: Duration, seats: usize) -> Self {
        Self {
            timeout,
            known: HashMap::new(),
            homes: vec![0; seats],
        }
    }

    /// How many are at home with a worker.
    pub(crate) fn at_home(&self, seat: usize) -> usize {
        self.homes[seat]
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// Where a session is at home; from now on it is known.
    pub(crate) fn home(&mut self, id: &Arc<str>) -> Home {
        self.touch(id).home
    }

    fn touch(&mut self, id: &Arc<str>) -> &mut Session {
        let session = self.known.entry(id.clone()).or_insert_with(|| Session {
            home: Home::None,
            visited: Vec::new(),
            used: Instant::now(),
        });
        session.used = Instant::now();
        session
    }

    /// A request of the session was answered.
    pub(crate) fn used(&mut self, id: &Arc<str>) {
        if let Some(session) = self.known.get_mut(id) {
            session.used = Instant::now();
        }
    }

    /// A worker is given a request of the session. Tells when the session would end unused.
    pub(crate) fn settle(&mut self, id: &Arc<str>, seat: usize) -> Option<Instant> {
        let timeout = self.timeout;
        let session = self.touch(id);
        let before = std::mem::replace(&mut session.home, Home::Seat(seat));
        if !session.visited.contains(&seat) {
            session.visited.push(seat);
        }
        let end = session.used.checked_add(timeout);
        self.move_out(before);
        self.homes[seat] += 1;
        end
    }

    fn move_out(&mut self, home: Home) {
        if let Home::Seat(seat) = home {
            self.homes[seat] -= 1;
        }
    }

    /// A worker has gone, with all that it held.
    pub(crate) fn lose(&mut self, seat: usize) {
        for session in self.known.values_mut() {
            session.visited.retain(|visited| *visited != seat);
            if session.home == Home::Seat(seat) {
                session.home = Home::Lost;
            }
        }
        // A worker that drains is at home to none.
        if let Some(home) = self.homes.get_mut(seat) {
            *home = 0;
        }
    }

    /// Those that a worker holds something of.
    pub(crate) fn held_by(&self, seat: usize) -> Vec<Arc<str>> {
        let visited = |session: &Session| session.visited.contains(&seat);
        let held = self.known.iter().filter(|(_, session)| visited(session));
        held.map(|(id, _)| id.clone()).collect()
    }

    pub(crate) fn end(&mut self, id: &Arc<str>) -> Option<Ended> {
        let (id, session) = self.known.remove_entry(id)?;
        self.move_out(session.home);
        Some((id, session.visited))
    }

    /// When the first session of a worker ends unused.
    pub(crate) fn next_end(&self, seat: usize) -> Option<Instant> {
        let ends = self.kept_by(seat);
        ends.filter_map(|(_, session)| session.used.checked_add(self.timeout))
            .min()
    }

    /// The sessions of a worker that have lain unused too long and are not in use now.
    pub(crate) fn expire(&mut self, seat: usize, is_in_use: impl Fn(&str) -> bool) -> Vec<Ended> {
        let now = Instant::now();
        let over: Vec<Arc<str>> = self
            .kept_by(seat)
            .filter(|(_, session)| now.duration_since(session.used) >= self.timeout)
            .map(|(id, _)| id.clone())
            .collect();
        let mut ended = Vec::new();
        for id in over {
            if is_in_use(&id) {
                self.used(&id);
            } else {
                ended.extend(self.end(&id));
            }
        }
        ended
    }

    /// Those whose end a worker has to see to; those without a home are the first one's.
    fn kept_by(&self, seat: usize) -> impl Iterator<Item = (&Arc<str>, &Session)> {
        self.known
            .iter()
            .filter(move |(_, session)| match session.home {
                Home::Seat(home) => home == seat,
                Home::None | Home::Lost => seat == 0,
            })
    }
}
