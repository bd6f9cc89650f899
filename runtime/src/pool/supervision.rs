//! One seat of a pool: keeps a worker there, and starts the next one when it has gone or has served enough.

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, sleep};

use super::error::Error;
use super::recycle::Worn;
use super::restart::{Record, Trouble};
use super::worker::{End, Worker, serve, start};
use super::{Phase, Shared, session};

/// A seat that somebody keeps; dropped with its task, whatever ends that.
struct Kept {
    shared: Arc<Shared>,
    seat: usize,
}

impl Drop for Kept {
    fn drop(&mut self) {
        self.shared.lock().leave(self.seat);
        self.shared.settled.notify_waiters();
    }
}

/// Keeps a seat filled until the pool ends. `first` learns what became of the first start; one that fails is final.
pub(crate) async fn keep_seat(
    shared: Arc<Shared>,
    seat: usize,
    first: mpsc::UnboundedSender<Result<(), Error>>,
) {
    let mut phase = shared.phase.subscribe();
    let _kept = Kept {
        shared: shared.clone(),
        seat,
    };
    let pool = shared.spec.pool;
    let mut first = Some(first);
    let mut record = Record::new(&shared.supervision);
    loop {
        let started = tokio::select! {
            started = start(&shared, seat) => started,
            _ = phase.wait_for(|phase| *phase != Phase::Running) => return,
        };
        let (settled, trouble) = match started {
            Ok((worker, worn)) => {
                let connection = worker.connection.clone();
                shared.lock().seat(seat, connection, worker.interpreter);
                if let Some(first) = first.take() {
                    let _ = first.send(Ok(()));
                }
                let end = serve_and_replace(&shared, seat, worker, worn, &phase).await;
                if *phase.borrow() != Phase::Running {
                    return;
                }
                shared.lock().count_restart(seat);
                match end.trouble {
                    Some(trouble) => (end.settled, trouble),
                    None => continue,
                }
            }
            Err(error) => {
                if let Some(first) = first.take() {
                    let _ = first.send(Err(error));
                    return;
                }
                tracing::warn!(pool, worker = seat, "{error}");
                (false, Trouble::of(error))
            }
        };
        let next = record.failed(Instant::now(), settled);
        if next.too_often {
            let pause = next.pause;
            tracing::error!(
                pool,
                worker = seat,
                "worker failed too often, and is tried again every {pause:?} only: {}",
                trouble.reason
            );
            shared.lock().degrade(seat, Arc::new(trouble));
            shared.settled.notify_waiters();
        }
        if next.pause.is_zero() {
            continue;
        }
        tokio::select! {
            () = sleep(next.pause) => {}
            _ = phase.wait_for(|phase| *phase != Phase::Running) => return,
        }
    }
}

/// Serves a worker, and those that replace it when it has served enough, until one ends that has no replacement.
async fn serve_and_replace(
    shared: &Arc<Shared>,
    seat: usize,
    mut worker: Worker,
    mut worn: oneshot::Receiver<Worn>,
    phase: &watch::Receiver<Phase>,
) -> End {
    loop {
        let berth = worker.berth.clone();
        let mut serving = Box::pin(serve(shared.clone(), seat, worker, phase.clone()));
        let (replacement, next) = tokio::select! {
            end = &mut serving => return end,
            replacement = replace(shared, seat, worn) => replacement,
        };
        let place = {
            let mut dispatch = shared.lock();
            let (place, sessions) = dispatch.reseat(
                seat,
                replacement.connection.clone(),
                replacement.interpreter,
            );
            berth.set(place);
            session::end_replaced(shared, &mut dispatch, place, sessions);
            place
        };
        let kept = Kept {
            shared: shared.clone(),
            seat: place,
        };
        tokio::spawn(async move {
            serving.await;
            drop(kept);
        });
        (worker, worn) = (replacement, next);
    }
}

/// Starts another worker when one has served enough. As long as that fails, the old one goes on.
async fn replace(
    shared: &Shared,
    seat: usize,
    worn: oneshot::Receiver<Worn>,
) -> (Worker, oneshot::Receiver<Worn>) {
    let pool = shared.spec.pool;
    let Ok(why) = worn.await else {
        // It has ended.
        return std::future::pending().await;
    };
    tracing::info!(pool, worker = seat, "worker is replaced: {why}");
    let mut record = Record::new(&shared.supervision);
    loop {
        match start(shared, seat).await {
            Ok(started) => return started,
            Err(error) => tracing::warn!(pool, worker = seat, "no replacement yet: {error}"),
        }
        sleep(record.failed(Instant::now(), false).pause).await;
    }
}
