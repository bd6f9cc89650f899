//! For as long as a server is served.

use std::sync::Arc;

use super::super::passage::TaskEnd;
use super::super::process::{Ender, Process};

/// When it is dropped, also where whoever serves the server has panicked, the pool sends nothing more to it, and its
/// process is ended. Its own calls back hold the passage as well, and may outlive that.
pub(super) struct Tenure {
    passage: Arc<TaskEnd>,
    _ender: Ender,
}

impl Tenure {
    pub(super) fn of(process: &Process, passage: Arc<TaskEnd>) -> Self {
        Self {
            passage,
            _ender: process.ender(),
        }
    }
}

impl Drop for Tenure {
    fn drop(&mut self) {
        self.passage.finish();
    }
}
