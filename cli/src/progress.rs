//! How far it is while interpreters are asked: on a terminal, and only where it takes long enough to be read.

use std::io::{self, IsTerminal};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// What takes less shows nothing.
const PATIENCE: Duration = Duration::from_millis(150);

/// A line on standard error.
pub(crate) struct Progress {
    bar: ProgressBar,
    showing: Option<(Sender<()>, JoinHandle<()>)>,
}

impl Progress {
    pub(crate) fn start() -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
        let template = "{spinner} asking interpreters: {pos} of {len} pools are done";
        bar.set_style(ProgressStyle::with_template(template).expect("the template is valid"));
        let showing = (io::stderr().is_terminal()).then(|| {
            let (ended, end) = mpsc::channel();
            let bar = bar.clone();
            let show = move || {
                if end.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
                    bar.set_draw_target(ProgressDrawTarget::stderr());
                    bar.enable_steady_tick(PATIENCE);
                }
            };
            (ended, thread::spawn(show))
        });
        Self { bar, showing }
    }

    /// So many pools are to be done.
    pub(crate) fn expect(&self, pools: usize) {
        self.bar.set_length(pools as u64);
    }

    /// One more is done.
    pub(crate) fn done(&self) {
        self.bar.inc(1);
    }

    /// Removes the line.
    pub(crate) fn finish(self) {
        if let Some((ended, thread)) = self.showing {
            drop(ended);
            let _ = thread.join();
        }
        self.bar.finish_and_clear();
    }
}
