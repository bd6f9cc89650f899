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
    /// One that shows itself on a terminal.
    pub(crate) fn start() -> Self {
        Self::after(io::stderr().is_terminal().then_some(PATIENCE), |bar| {
            bar.set_draw_target(ProgressDrawTarget::stderr());
            bar.enable_steady_tick(PATIENCE);
        })
    }

    /// One that is shown if it takes longer than a time, or never.
    fn after(patience: Option<Duration>, show: impl FnOnce(&ProgressBar) + Send + 'static) -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
        let template = "{spinner} asking interpreters: {pos} of {len} pools are done";
        bar.set_style(ProgressStyle::with_template(template).expect("the template is valid"));
        let showing = patience.map(|patience| {
            let (ended, end) = mpsc::channel();
            let bar = bar.clone();
            let wait = move || {
                if end.recv_timeout(patience) == Err(RecvTimeoutError::Timeout) {
                    show(&bar);
                }
            };
            (ended, thread::spawn(wait))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ends_in_time_shows_nothing_and_what_takes_longer_is_shown() {
        let long = Progress::after(Some(Duration::MAX), |_| panic!("it took no time"));
        let (_, thread) = long.showing.expect("it may be shown");
        assert!(thread.join().is_ok());
        let (sender, shown) = mpsc::channel();
        let short = Progress::after(Some(Duration::ZERO), move |bar| {
            sender.send(bar.position()).expect("somebody waits");
        });
        assert_eq!(shown.recv(), Ok(0));
        short.finish();
        Progress::after(None, |_| panic!("nobody would see it")).finish();
    }
}
