//! The bare loops in Python that a worker is compared with; see `python/echo.py`.

use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::runtime::Runtime;

use crate::measure::each;

/// A Python process that returns every frame.
pub(crate) struct Echo {
    socket: UnixStream,
    child: Child,
    frame: Vec<u8>,
}

impl Echo {
    /// Starts it; `mode` is `bytes` or `json`, and `body` what goes there and back.
    pub(crate) fn start(python: &str, mode: &str, body: &str) -> Self {
        let (socket, theirs) = UnixStream::pair().expect("a socket pair can be made");
        let child = Command::new(python)
            .args(["-c", include_str!("../python/echo.py"), mode])
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .spawn()
            .expect("the interpreter starts");
        let length = u32::try_from(body.len()).expect("it is below 4 GiB");
        let mut frame = length.to_le_bytes().to_vec();
        frame.extend_from_slice(body.as_bytes());
        let mut echo = Self {
            socket,
            child,
            frame,
        };
        echo.one_by_one(10);
        echo
    }

    /// Seconds of one request and its reply, the mean of `count`, each after the other.
    pub(crate) fn one_by_one(&mut self, count: usize) -> f64 {
        let mut reply = vec![0; self.frame.len()];
        let begin = Instant::now();
        for _ in 0..count {
            // The loop reads a whole frame before it answers: both never write at the same time.
            self.socket.write_all(&self.frame).expect("it listens");
            self.socket.read_exact(&mut reply).expect("it replies");
        }
        let time = each(begin.elapsed(), count);
        assert_eq!(reply, self.frame);
        time
    }

    /// The same from a task of Tokio, which waits as a pool does.
    pub(crate) fn one_by_one_in(&mut self, runtime: &Runtime, count: usize) -> f64 {
        let socket = self.socket.try_clone().expect("there is room for one more");
        let frame = self.frame.clone();
        let calls = async move {
            socket.set_nonblocking(true).expect("it is a socket");
            let mut socket = tokio::net::UnixStream::from_std(socket).expect("it is a socket");
            let mut reply = vec![0; frame.len()];
            let begin = Instant::now();
            for _ in 0..count {
                socket.write_all(&frame).await.expect("it listens");
                socket.read_exact(&mut reply).await.expect("it replies");
            }
            let time = each(begin.elapsed(), count);
            assert_eq!(reply, frame);
            time
        };
        let time = runtime.block_on(runtime.spawn(calls));
        // The copy and the original are one for the system.
        let blocking = self.socket.set_nonblocking(false);
        blocking.expect("it is a socket");
        time.expect("the task ends")
    }

    /// Its number as a process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Requests a second while `in_flight` are under way.
    pub(crate) fn in_flight(&mut self, count: usize, in_flight: usize) -> f64 {
        let size = self.frame.len();
        let frames = self.frame.repeat(in_flight);
        let mut replies = vec![0; frames.len()];
        let (mut sent, mut received) = (in_flight, 0);
        let begin = Instant::now();
        self.socket.write_all(&frames).expect("it listens");
        while received < count * size {
            let before = received / size;
            received += self.socket.read(&mut replies).expect("it replies");
            let more = (received / size - before).min(count - sent);
            self.socket
                .write_all(&frames[..more * size])
                .expect("it listens");
            sent += more;
        }
        count as f64 / begin.elapsed().as_secs_f64()
    }
}

impl Drop for Echo {
    fn drop(&mut self) {
        // It leaves at the end of its input.
        let _ = self.socket.shutdown(std::net::Shutdown::Both);
        let _ = self.child.wait();
    }
}
