//! Answers of programs, remembered by everything that decides them: each question is asked once, also by several
//! pools at the same time and by later builds.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use crate::diagnostic::Diagnostic;
use crate::ordered::{Map, Ordered};

/// A question of this build, and what became of it.
type Reply<T> = Arc<OnceLock<Result<T, Diagnostic>>>;

/// Answers of one kind.
#[derive(Debug)]
pub(crate) struct Memo<T> {
    loaded: Map<String, T>,
    asked: Mutex<Map<String, Reply<T>>>,
}

impl<T> Default for Memo<T> {
    fn default() -> Self {
        Self::of(Map::new())
    }
}

impl<T> Memo<T> {
    /// What an earlier build learned.
    pub(crate) fn of(loaded: Map<String, T>) -> Self {
        Self {
            loaded,
            asked: Mutex::default(),
        }
    }
}

impl<T: Clone> Memo<T> {
    /// The answer of an earlier build if it `holds` still, else that of `ask`.
    pub(crate) fn answer(
        &self,
        key: String,
        holds: impl FnOnce(&T) -> bool,
        ask: impl FnOnce() -> Result<T, Diagnostic>,
    ) -> Result<T, Diagnostic> {
        let reply = {
            let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(asked.or_insert_with(key.clone(), Arc::default))
        };
        reply
            .get_or_init(|| match self.loaded.get(&key) {
                Some(known) if holds(known) => Ok(known.clone()),
                _ => ask(),
            })
            .clone()
    }

    /// The answers of this build, failures left out.
    pub(crate) fn used(&self) -> Map<String, T> {
        let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let answers = asked.iter();
        answers
            .filter_map(|(key, reply)| Some((key.clone(), reply.get()?.as_ref().ok()?.clone())))
            .ordered()
    }

    /// What earlier builds and this one learned.
    pub(crate) fn known(&self) -> Map<String, T> {
        let mut known = self.loaded.clone();
        known.extend(self.used());
        known
    }
}
