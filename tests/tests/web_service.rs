//! The example `web_service`, as its callers see it.
#![allow(
    missing_docs,
    reason = "a test program has no readers of its documentation"
)]

use std::fs;
use std::io::{BufRead, BufReader, Lines, Read, Write};
use std::net::TcpStream;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use snakepit_tests::blocking_until;

struct Service {
    program: Child,
    output: Lines<BufReader<ChildStdout>>,
    address: String,
}

impl Service {
    /// With one worker, room for one call that waits, and more settings of the pool.
    fn start(settings: &str) -> Self {
        let config =
            format!("listen = \"127.0.0.1:0\"\n\n[model]\nsize = 1\nqueue_limit = 1\n{settings}\n");
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config.toml");
        fs::write(&file, config).unwrap();
        // On Unix cargo becomes the program.
        let mut program = Command::new(env!("CARGO"))
            .args(["run", "--quiet", "--offline", "--package", "web_service"])
            .arg("--")
            .arg(file)
            .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut output = BufReader::new(program.stdout.take().unwrap()).lines();
        let line = output.next().expect("it says where it listens").unwrap();
        let address = line.strip_prefix("listening on http://").unwrap();
        Self {
            program,
            output,
            address: address.to_owned(),
        }
    }

    /// Sends a request whose answer ends with its connection.
    fn send(&self, request: &str, body: &str) -> TcpStream {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        // More than even a slow machine is to need.
        let longest = Some(Duration::from_secs(60));
        stream.set_read_timeout(longest).unwrap();
        let length = body.len();
        let head = format!(
            "{request} HTTP/1.0\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
        );
        stream.write_all((head + body).as_bytes()).unwrap();
        stream
    }

    fn score(&self, text: &str) -> TcpStream {
        self.send("POST /score", &json!({"text": text}).to_string())
    }

    fn health(&self) -> (u16, Value) {
        answer(self.send("GET /health", ""))
    }

    fn terminate(&self) {
        let pid = i32::try_from(self.program.id()).unwrap();
        kill_process(Pid::from_raw(pid).unwrap(), Signal::TERM).unwrap();
    }

    /// Waits for its end, which is a good one.
    fn ends(&mut self) {
        assert_eq!(self.output.next().unwrap().unwrap(), "all done");
        assert!(self.program.wait().unwrap().success());
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}

/// The status of an answer, and its text.
fn text(mut stream: TcpStream) -> (u16, String) {
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").expect("an answer has a head");
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, body.to_owned())
}

fn answer(stream: TcpStream) -> (u16, Value) {
    let (status, body) = text(stream);
    let value = serde_json::from_str(&body).unwrap_or_else(|error| panic!("{error}: {body}"));
    (status, value)
}

/// A stream of so many words, whose first one has come.
fn generation(service: &Service, words: u32) -> BufReader<TcpStream> {
    let request = format!("GET /generate?words={words}");
    let mut stream = BufReader::new(service.send(&request, ""));
    let mut line = String::new();
    while line != "data: the\n" {
        line.clear();
        assert!(stream.read_line(&mut line).unwrap() > 0);
    }
    stream
}

#[test]
fn a_call_is_answered_and_what_fails_has_its_status() {
    let service = Service::start("execute_timeout = '2s'");
    let (status, page) = service.health();
    assert_eq!((status, &page["health"]), (200, &json!("healthy")));
    assert_eq!(page["workers"], 1);

    let scored = answer(service.score("a good day"));
    assert_eq!(scored, (200, json!({"score": 1.0 / 3.0})));
    let failed = answer(service.score(" "));
    let message = "ValueError: there is no text to score";
    assert_eq!(failed, (500, json!({"error": message})));
    // A word takes a millisecond.
    let (status, body) = text(service.score(&"word ".repeat(100_000)));
    assert_eq!(status, 504, "{body}");
    assert!(body.contains("no answer within 2s"), "{body}");
}

#[test]
fn a_full_service_says_so_and_one_that_ends_answers_what_it_has_taken() {
    let mut service = Service::start("execute_timeout = '10m'\nshutdown_timeout = '10m'");
    // It has the only worker: one call waits, and nothing more is taken.
    let endless = generation(&service, u32::MAX);
    let waiting = service.score("a bad day");
    blocking_until(|| service.health().1["waiting"] == 1);
    for refused in [
        service.score("a fine day"),
        service.send("GET /generate?words=3", ""),
    ] {
        let (status, body) = text(refused);
        assert_eq!(status, 503, "{body}");
        assert!(body.contains("wait already"), "{body}");
    }
    // Who hangs up has no more of the generator.
    drop(endless);
    assert_eq!(answer(waiting), (200, json!({"score": -1.0 / 3.0})));

    let stream = generation(&service, 20);
    service.terminate();
    let words = stream.lines().map(Result::unwrap);
    let words = words.filter(|line| line.starts_with("data: ")).count();
    assert_eq!(words, 19);
    service.ends();
    assert!(TcpStream::connect(&service.address).is_err());
}

#[test]
fn a_stream_without_an_end_does_not_hold_a_service_that_is_to_end() {
    let mut service = Service::start("shutdown_timeout = '200ms'");
    let endless = generation(&service, u32::MAX);
    service.terminate();
    let lines: Vec<String> = endless.lines().map(Result::unwrap).collect();
    let error = lines.iter().position(|line| line == "event: error");
    let error = error.unwrap_or_else(|| panic!("{lines:?}"));
    assert!(lines[error + 1].contains("shut down"), "{lines:?}");
    service.ends();
}
