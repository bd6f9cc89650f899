//! How much of a file is read, and what is not read at all.

#![cfg(target_os = "linux")]

mod support;

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use snakepit_build::Diagnostic;
use snakepit_build::cache::Cache;
use snakepit_build::resolver::{Custom, resolve};
use snakepit_test_tools::succeeds;
use support::{World, answering, request, script};

/// A package with a virtual environment whose interpreter looks for distributions in `site`.
fn package() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let site = folder.path().join("site");
    let answer = answering("3.12.1", site.to_str().unwrap());
    script(&folder.path().join(".venv/bin/python3"), &answer);
    (folder, site)
}

fn faults(kind: &str, requires: &[&str], package: &Path) -> Vec<Diagnostic> {
    let mut request = request(kind, &[]);
    request.requires = requires.iter().map(|&text| text.to_owned()).collect();
    let (world, probes) = (World::with(None), Cache::default());
    let resolved = resolve(&request, package, &Custom::new(), &probes, &world);
    resolved.err().unwrap_or_default()
}

/// The bytes that the kernel has read from files for this thread.
fn bytes_read() -> u64 {
    let counters = fs::read_to_string("/proc/thread-self/io").unwrap();
    let count = counters
        .lines()
        .find_map(|line| line.strip_prefix("rchar: "));
    count.unwrap().parse().unwrap()
}

/// Makes a file longer, with zeros that take no room on the disk.
fn lengthen(file: &Path, bytes: u64) {
    let file = File::options().create(true).append(true).open(file);
    file.unwrap().set_len(bytes).unwrap();
}

#[test]
fn of_a_metadata_of_100_mb_no_more_is_read_than_its_headers_need() {
    let (package, site) = package();
    let metadata = site.join("demo-1.0.dist-info/METADATA");
    fs::create_dir_all(metadata.parent().unwrap()).unwrap();
    let headers = "Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n";
    let demand = |requires: &[&str]| {
        let before = bytes_read();
        let codes: Vec<String> = faults("venv", requires, package.path())
            .iter()
            .map(|fault| fault.code().to_owned())
            .collect();
        (codes, bytes_read() - before)
    };
    let without = demand(&[]).1;
    for (more, most) in [
        // The usual one: short headers before a long description.
        (String::new() + "\nA description\n", 64 << 10),
        // Headers that go on and on.
        (
            "Requires-Dist: other; extra == 'x'\n".repeat(100_000),
            2 << 20,
        ),
    ] {
        fs::write(&metadata, format!("{headers}{more}")).unwrap();
        lengthen(&metadata, 100 << 20);
        let (codes, read) = demand(&["demo>=2"]);
        assert_eq!(codes, ["requirement_not_met"]);
        let read = read - without;
        assert!(read > 0 && read < most, "{read} bytes were read");
    }
    // The counter counts.
    let before = bytes_read();
    fs::read(&metadata).unwrap();
    assert!(bytes_read() - before >= 100 << 20);
}

/// Kinds, the file that each reads, and what is said of one that cannot be read.
const FILES: &[(&str, &str, &str)] = &[
    ("venv", ".venv/pyvenv.cfg", "venv_invalid"),
    ("uv", "uv.lock", "uv_lock_invalid"),
    ("poetry", "poetry.lock", "poetry_lock_invalid"),
    ("conda", "environment.yml", "conda_file_invalid"),
];

/// The one fault of each kind whose file is made like this.
fn refused(make: fn(&Path), why: &str) {
    for (kind, file, code) in FILES {
        let (package, _) = package();
        let folder = package.path().to_owned();
        fs::write(folder.join("pyproject.toml"), "").unwrap();
        make(&folder.join(file));
        let (sender, found) = mpsc::channel();
        thread::spawn(move || sender.send(faults(kind, &[], &folder)));
        let faults = found.recv_timeout(Duration::from_secs(60));
        let faults = faults.unwrap_or_else(|_| panic!("`{kind}` hangs"));
        let [fault] = &faults[..] else {
            panic!("{faults:?}");
        };
        assert_eq!(fault.code(), *code);
        assert!(fault.message().contains(why), "{fault:?}");
    }
}

#[test]
fn a_file_of_more_than_64_mib_is_refused() {
    refused(|file| lengthen(file, 100 << 20), "more than 64 MiB");
}

#[test]
fn a_pipe_in_the_place_of_a_file_is_refused_and_not_waited_for() {
    let make = |file: &Path| {
        let folder = file.parent().unwrap();
        succeeds(Path::new("mkfifo"), &[file.to_str().unwrap()], folder);
    };
    refused(make, "it is a pipe");
}
