//! The start of a server: its command line, the file that tells its port, and what it says of itself.

use std::borrow::Cow;
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read as _};
use std::net::Ipv4Addr;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use rustix::fs::{Mode, OFlags};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::process::ChildStderr;
use tokio::task::spawn_blocking;
use tokio::time::sleep;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;

use super::super::frame::Kind;
use super::super::passage::TaskEnd;
use super::super::process::Process;
use super::super::{Error, Shared};
use super::client::{Client, chain, in_words};
use super::folder::Folder;
use super::gateway::{Gateway, Lost, initialize, ping};
use super::own;
use super::service::{Callbacks, Host};
use super::tenure::Tenure;
use super::value::{frame, not_ready};
use crate::spec::Grpc;

/// How often the file is looked for.
const LOOK: Duration = Duration::from_millis(5);

/// What is no port: the longest text that a message shows.
const SHOWN: usize = 60;

/// Starts a server that the pool hears through this passage: also that it is ready, or why not.
pub(in super::super) async fn start(
    shared: &Shared,
    number: u32,
    server: &'static Grpc,
    passage: TaskEnd,
) -> Result<(Process, Option<ChildStderr>), Error> {
    let spec = shared.spec;
    let Some(script) = server.script else {
        return own::start(shared, number, passage).await;
    };
    let failed = |source| Error::spawn(spec, source);
    let passage = Arc::new(passage);
    let folder = Folder::new().map_err(failed)?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .await
        .map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?.to_string();
    let ready = folder.path().join("ready");
    let (words, stdout) = io::pipe().map_err(failed)?;
    let mut command = spec.command()?;
    arguments(
        &mut command,
        spec.adapter,
        (script, server.args),
        &address,
        &ready,
    );
    search_path(&mut command, &spec.placed_python_path()?).map_err(failed)?;
    // What it prints is no answer: it goes the way of its stderr.
    command
        .stdin(Stdio::null())
        .stdout(OwnedFd::from(stdout.try_clone().map_err(failed)?))
        .stderr(OwnedFd::from(stdout));
    let grace = shared.supervision.kill_timeout;
    let (process, _) = Process::spawn(command, grace, shared.living.subscribe())
        .await
        .map_err(failed)?;
    let words = std::process::ChildStderr::from(OwnedFd::from(words));
    let words = ChildStderr::from_std(words).map_err(failed)?;
    let tools = shared.host_tools.names().map(str::to_owned).collect();
    let callbacks = Arc::new(Callbacks::new(tools, passage.clone()));
    let begun = Begun {
        tenure: Tenure::of(&process, passage.clone()),
        pool: spec.pool,
        folder,
        passage,
        callbacks,
        listener,
        pid: process.id,
        home: format!("{}-{number}", spec.pool).into(),
        room: shared.room as usize,
    };
    tokio::spawn(begun.serve());
    Ok((process, Some(words)))
}

/// What a server is started with.
fn arguments(
    command: &mut Command,
    adapter: Option<&str>,
    (script, more): (&str, &[&str]),
    address: &str,
    ready: &Path,
) {
    command.args(["-s", script, "--port", "0"]);
    if let Some(adapter) = adapter {
        // As Snakepit names a class.
        command.args(["--adapter", &adapter.replace(':', ".")]);
    }
    command.args(["--elixir-address", address]);
    command.args(more);
    command
        .env("SNAKEPIT_GRPC_ADDRESS", address)
        .env("SNAKEPIT_READY_FILE", ready)
        // Its last words are not to wait in a buffer.
        .env("PYTHONUNBUFFERED", "1");
}

/// A script has no other way to be told where its modules are.
fn search_path(command: &mut Command, folders: &[Cow<'_, str>]) -> io::Result<()> {
    let declared = command.get_envs().find(|(name, _)| *name == "PYTHONPATH");
    let declared = declared.and_then(|(_, value)| value.map(OsString::from));
    let rest = declared.iter().flat_map(std::env::split_paths);
    let all = folders
        .iter()
        .map(|folder| PathBuf::from(&**folder))
        .chain(rest);
    let joined = std::env::join_paths(all).map_err(io::Error::other)?;
    if joined.is_empty() {
        command.env_remove("PYTHONPATH");
    } else {
        command.env("PYTHONPATH", joined);
    }
    Ok(())
}

/// A server that is not ready yet.
struct Begun {
    pool: &'static str,
    folder: Folder,
    passage: Arc<TaskEnd>,
    callbacks: Arc<Callbacks>,
    listener: TcpListener,
    tenure: Tenure,
    pid: u32,
    home: Arc<str>,
    room: usize,
}

impl Begun {
    /// Until the pool has no more use for it.
    async fn serve(self) {
        let passage = self.passage;
        let host = Server::builder().tcp_nodelay(true).serve_with_incoming(
            Host(self.callbacks.clone()),
            TcpIncoming::from(self.listener),
        );
        let server = async {
            let meeting = meet(&self.folder, &self.callbacks, &self.home);
            let met = tokio::select! {
                met = meeting => met,
                // Nothing comes before it is ready but the end.
                () = passage.readable() => return,
            };
            let (client, mut tools) = match met {
                Ok(met) => met,
                Err(reason) => return passage.send([not_ready(&reason)]),
            };
            tools.sort();
            tools.dedup();
            let told = json!({"tools": tools, "control": false, "shares": false, "pid": self.pid});
            passage.send([frame(0, Kind::Ready, told.to_string())]);
            let gateway = Gateway {
                passage,
                client,
                callbacks: self.callbacks.clone(),
                home: self.home.clone(),
                room: self.room,
                takes_whole: false,
            };
            // Whatever became of it: it is ended.
            if let Err(Lost(why)) = gateway.run().await {
                tracing::warn!(
                    pool = self.pool,
                    pid = self.pid,
                    "gRPC server is lost: {why}"
                );
            }
        };
        tokio::select! {
            () = server => {}
            // The host's side ends only where its listener cannot go on.
            _ = host => {}
        }
        drop(self.tenure);
    }
}

/// Waits for its port, and hears what it can do.
async fn meet(
    folder: &Folder,
    callbacks: &Callbacks,
    home: &str,
) -> Result<(Client, Vec<String>), String> {
    let port = port(&folder.path().join("ready")).await?;
    let client = Client::connect(format!("http://127.0.0.1:{port}"))
        .await
        .map_err(|error| {
            format!(
                "it named port {port}, where no gRPC server answers: {}",
                chain(&error)
            )
        })?;
    let told = |what: &str, status: &tonic::Status| {
        let (name, message) = in_words(status);
        format!("its server does not answer `{what}`: {name}: {message}")
    };
    ping(&client)
        .await
        .map_err(|status| told("Ping", &status))?;
    callbacks.begin(home, Default::default());
    let mut tools = initialize(&client, home)
        .await
        .map_err(|status| told("InitializeSession", &status))?;
    tools.extend(callbacks.registered());
    Ok((client, tools))
}

/// The port that it bound: the file appears by a rename, so that it is read as a whole.
async fn port(ready: &Path) -> Result<u16, String> {
    loop {
        let path = ready.to_owned();
        let read = spawn_blocking(move || beginning(&path)).await;
        match read.unwrap_or_else(|end| Err(io::Error::other(end))) {
            Ok(bytes) => {
                let text = String::from_utf8_lossy(&bytes);
                let port = text.trim().parse::<u16>().ok().filter(|port| *port != 0);
                return port.ok_or_else(|| {
                    let shown: String = text.chars().take(SHOWN).flat_map(char::escape_default).collect();
                    format!("it wrote `{shown}` into the file named by `SNAKEPIT_READY_FILE`, wanted is the port that it bound")
                });
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => sleep(LOOK).await,
            Err(error) => {
                return Err(format!(
                    "the file named by `SNAKEPIT_READY_FILE` cannot be read: {error}"
                ));
            }
        }
    }
}

/// The beginning of a file that may be anything: a pipe would be waited for, and a large one fill the memory.
fn beginning(path: &Path) -> io::Result<Vec<u8>> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let file = File::from(rustix::fs::open(path, flags, Mode::empty())?);
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("it is no file"));
    }
    let mut bytes = Vec::new();
    file.take(4 * SHOWN as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_file_that_is_none_or_has_no_port_is_told_at_once() {
        let folder = Folder::new().unwrap();
        let ready = folder.path().join("ready");
        rustix::fs::mkfifoat(rustix::fs::CWD, &ready, Mode::RUSR | Mode::WUSR).unwrap();
        let fault = port(&ready).await.unwrap_err();
        assert!(fault.contains("it is no file"), "{fault}");
        std::fs::remove_file(&ready).unwrap();
        std::fs::write(&ready, "7".repeat(1 << 20)).unwrap();
        let fault = port(&ready).await.unwrap_err();
        assert!(fault.contains("wanted is the port"), "{fault}");
        assert!(fault.len() < 300, "{fault}");
        std::fs::write(&ready, "50051\n").unwrap();
        assert_eq!(port(&ready).await, Ok(50051));
    }
}
