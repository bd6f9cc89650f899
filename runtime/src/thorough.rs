//! The thorough re-check: one start of the interpreter, which says who it is and what is installed.
//!
//! It is in every program, also in one that never asks for it: so it does without threads, channels and maps, which
//! would make the smallest program a quarter larger.

use std::io::{ErrorKind, Read};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::recheck::{Change, Fact, SpecError};
use crate::spec::SpawnSpec;

const SCRIPT: &str = include_str!("../python/recheck.py");

/// What each line of the answer begins with: `site` and `sitecustomize` may print whatever they like between.
const MARK: &str = "snakepit:";

/// The last line of a whole answer.
const END: &str = "snakepit:end";

/// Longest wait for the answer: in a container it takes seconds on a slow disk.
const LIMIT: Duration = Duration::from_secs(60);

/// The longest answer, in bytes.
const MOST_OUTPUT: usize = 16 << 20;

impl SpawnSpec {
    /// What files tell and what the interpreter itself says. One whose files have changed is not started: it is
    /// known already that it is not the one.
    pub(crate) fn look_thoroughly(&self) -> Result<(), SpecError> {
        self.unless(self.changed_files()?)?;
        let mut command = self.command_unchecked()?;
        command.args(["-E", "-s", "-c", SCRIPT]);
        let mut extra = self.metadata.extra.iter();
        let conda = extra.find(|(name, _)| *name == "conda_prefix");
        command.arg(&*self.placed(conda.map_or("", |(_, prefix)| prefix))?);
        for (path, _) in self.fingerprint.lock_files {
            command.arg(&*self.placed(path)?);
        }
        let path = self.placed(self.command)?;
        match ask(command) {
            Ok(answer) => self.unless(self.changed_facts(&answer)?),
            Err(found) => self.unless(vec![Change {
                fact: Fact::Interpreter(path.into_owned()),
                expected: "an interpreter".to_owned(),
                found,
            }]),
        }
    }

    fn changed_facts(&self, answer: &str) -> Result<Vec<Change>, SpecError> {
        let mut changes = Vec::new();
        let mut compare = |fact, expected: &str, now: Option<&str>| {
            if now != Some(expected) {
                changes.push(Change {
                    fact,
                    expected: match expected {
                        "" => "not installed".to_owned(),
                        _ => format!("`{expected}`"),
                    },
                    found: now.map_or_else(|| "is gone".to_owned(), |now| format!("is `{now}`")),
                });
            }
        };
        let metadata = &self.metadata;
        for (fact, key, expected) in [
            (Fact::Version, "version", metadata.python_version),
            (
                Fact::Implementation,
                "implementation",
                metadata.implementation,
            ),
            (Fact::Abi, "abi", self.fingerprint.abi),
            (Fact::Prefix, "prefix", metadata.prefix),
            (Fact::BasePrefix, "base_prefix", metadata.base_prefix),
        ] {
            // What the build was not told cannot have changed.
            if !expected.is_empty() {
                let mut now = said(answer, key);
                compare(fact, &self.placed(expected)?, now.next());
            }
        }
        if let Some(known) = self.fingerprint.distributions {
            let distribution = |name: &str| Fact::Distribution(name.to_owned());
            let mut known = known.lines().filter_map(|line| line.split_once(' '));
            let mut now = said(answer, "distribution").filter_map(|line| line.split_once('\t'));
            // Both are sorted by name.
            let (mut one, mut other) = (known.next(), now.next());
            while let Some((name, _)) = one.into_iter().chain(other).min() {
                let expected = one.filter(|(own, _)| *own == name);
                let found = other.filter(|(own, _)| *own == name);
                compare(
                    distribution(name),
                    expected.map_or("", |(_, version)| version),
                    found.map(|(_, version)| version),
                );
                if expected.is_some() {
                    one = known.next();
                }
                if found.is_some() {
                    other = now.next();
                }
            }
        }
        for (path, digest) in self.fingerprint.lock_files {
            let path = self.placed(path)?;
            let mut files = said(answer, "lock_file").filter_map(|line| line.split_once('\t'));
            // The environment runs without it, and many a copy comes without it.
            if let Some((_, now)) = files.find(|(file, _)| *file == path) {
                compare(Fact::LockFile(path.into_owned()), digest, Some(now));
            }
        }
        Ok(changes)
    }
}

/// What an answer says under a key, a line each.
fn said<'a>(answer: &'a str, key: &'static str) -> impl Iterator<Item = &'a str> {
    let lines = answer.lines().filter_map(|line| line.strip_prefix(MARK));
    lines.filter_map(move |line| line.strip_prefix(key)?.strip_prefix('\t'))
}

/// The whole answer, or in words that follow "it" what came instead.
fn ask(mut command: Command) -> Result<String, String> {
    let unstarted = |error| format!("cannot be started: {error}");
    command.stdin(Stdio::null());
    let mut output = Output::of(&mut command).map_err(unstarted)?;
    let mut child = command.spawn().map_err(unstarted)?;
    // Else the other end would stay open here.
    drop(command);
    let mut bytes = Vec::new();
    let mut chunk = [0; 4096];
    let end = Instant::now() + LIMIT;
    let is_late = loop {
        match output.read(&mut chunk, end) {
            Ok(0) => break false,
            Ok(length) if bytes.len() < MOST_OUTPUT => bytes.extend_from_slice(&chunk[..length]),
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(_) => break true,
        }
    };
    finish(&mut child);
    let answer = String::from_utf8_lossy(&bytes).into_owned();
    if answer.lines().any(|line| line == END) {
        return Ok(answer);
    }
    let last = answer.lines().rfind(|line| !line.trim().is_empty());
    Err(match last {
        _ if is_late => format!("gives no answer within {} s", LIMIT.as_secs()),
        Some(line) => format!("gives no answer and says `{}`", line.trim()),
        None => "gives no answer".to_owned(),
    })
}

/// What a process prints, to stdout and stderr. A socket has a time limit, which a pipe has not.
#[cfg(unix)]
struct Output(std::os::unix::net::UnixStream);

#[cfg(unix)]
impl Output {
    fn of(command: &mut Command) -> std::io::Result<Self> {
        use std::os::fd::OwnedFd;
        let (here, there) = std::os::unix::net::UnixStream::pair()?;
        command.stdout(OwnedFd::from(there.try_clone()?));
        command.stderr(OwnedFd::from(there));
        Ok(Self(here))
    }

    fn read(&mut self, chunk: &mut [u8], end: Instant) -> std::io::Result<usize> {
        let left = end.saturating_duration_since(Instant::now());
        // None at all would mean for ever.
        let left = left.max(Duration::from_millis(1));
        self.0.set_read_timeout(Some(left))?;
        self.0.read(chunk)
    }
}

#[cfg(not(unix))]
struct Output(std::io::PipeReader);

#[cfg(not(unix))]
impl Output {
    fn of(command: &mut Command) -> std::io::Result<Self> {
        let (here, there) = std::io::pipe()?;
        command.stdout(there.try_clone()?);
        command.stderr(there);
        Ok(Self(here))
    }

    fn read(&mut self, chunk: &mut [u8], _: Instant) -> std::io::Result<usize> {
        self.0.read(chunk)
    }
}

/// Nothing of it is left behind. What has said all that it has to say may take a moment to end in good order.
fn finish(child: &mut Child) {
    for _ in 0..100 {
        if !matches!(child.try_wait(), Ok(None)) {
            return;
        }
        thread::sleep(Duration::from_millis(10));
    }
    let _ = child.kill();
    let _ = child.wait();
}
