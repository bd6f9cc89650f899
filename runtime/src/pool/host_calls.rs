//! The calls of one worker to the program: each runs as a task and is answered once. They end with the worker.

use std::sync::Arc;

use tokio::task::JoinSet;

use super::connection::Connection;
use super::dispatch::Unasked;
use super::frame::{Frame, Message};
use super::host_tools::{HostTools, refusal};

/// Calls of one worker at a time.
const MOST: usize = 1024;

/// Pieces that a worker leaves unread, from which on it is told nothing more. What it waits for at a time is far less.
const MOST_UNREAD: usize = 1 << 18;

#[derive(Debug, Default)]
pub(crate) struct HostCalls {
    running: JoinSet<()>,
}

impl HostCalls {
    /// # Errors
    /// The worker asks, and does not read what it is answered.
    pub(crate) fn begin(
        &mut self,
        tools: &HostTools,
        connection: &Arc<Connection>,
        frame: Frame,
    ) -> Result<(), Unasked> {
        if connection.unread() >= MOST_UNREAD {
            return Err(Unasked::Calls);
        }
        // Those that are done are forgotten.
        while self.running.try_join_next().is_some() {}
        let reply = Reply {
            connection: connection.clone(),
            call: frame.request,
            answer: None,
        };
        if self.running.len() >= MOST {
            let message = format!("{MOST} calls of this worker are running already");
            reply.give(refusal(frame.request, &message));
            return Ok(());
        }
        let tools = tools.clone();
        self.running.spawn(async move {
            let answer = tools.answer(frame.request, frame.body).await;
            reply.give(answer);
        });
        Ok(())
    }
}

/// Answers in any case: a tool that panics must not let the worker wait for ever.
struct Reply {
    connection: Arc<Connection>,
    call: u32,
    answer: Option<Message>,
}

impl Reply {
    fn give(mut self, answer: Message) {
        self.answer = Some(answer);
    }
}

impl Drop for Reply {
    fn drop(&mut self) {
        let answer = self.answer.take();
        let answer = answer.unwrap_or_else(|| refusal(self.call, "the host's tool panicked"));
        self.connection.control(answer);
    }
}
