//! A Docker engine of the tests' own, with one image: Debian's packages, a data root and a socket in the target
//! folder. It ends with the test program, however that ends.
#![allow(dead_code, reason = "each test program needs a part of it")]

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Command, Output, Stdio};
use std::sync::LazyLock;

/// The image, made of Debian's own packages. It has `python3`, which is `/usr/bin/python3.11` on Debian 12.
pub(crate) const IMAGE: &str = "snakepit-test";

/// Installs what is missing, starts the engine, makes the image where it is not there yet, says `ready`, and ends the
/// engine and all its containers at the end of input: when the test program has gone.
const SCRIPT: &str = r#"
set -eu
folder=$1 image=$2
mkdir -p "$folder"
# One engine at a time: the next test program waits until the engine of the last one has gone.
exec 9>"$folder/lock"
flock 9
there() { for tool in dockerd docker debootstrap; do command -v $tool >&2 || return 1; done; }
if ! there; then
    if [ "$(id -u)" != 0 ] || ! command -v apt-get >&2; then
        echo "root's rights, and Debian's packages docker.io and debootstrap"
        exit 0
    fi
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq >&2 9>&-
    apt-get install -y -qq --no-install-recommends docker.io debootstrap >&2 9>&-
fi
if [ "$(id -u)" != 0 ]; then
    echo "root's rights to run dockerd"
    exit 0
fi
export DOCKER_HOST="unix://$folder/docker.sock"
unset DOCKER_CONTEXT
# A test run whose end was not waited for may have left its engine.
if [ -f "$folder/pid" ] && tr '\0' ' ' <"/proc/$(cat "$folder/pid")/cmdline" 2>/dev/null | grep -qF "$folder"; then
    kill "$(cat "$folder/pid")"
    while [ -f "$folder/pid" ]; do sleep 0.1; done
fi
dockerd --data-root "$folder/data" --exec-root "$folder/run" --pidfile "$folder/pid" --host "$DOCKER_HOST" \
    --bridge none --iptables=false --ip-masq=false >"$folder/log" 2>&1 </dev/null 9>&- &
engine=$!
leave() {
    containers=$(docker ps --all --quiet 9>&-) || containers=
    [ -z "$containers" ] || docker rm --force $containers >&2 9>&- || true
    kill $engine || true
    wait $engine || true
}
trap leave EXIT
tries=0
until docker version >/dev/null 2>&1 9>&-; do
    tries=$((tries + 1))
    if [ $tries = 300 ] || ! kill -0 $engine; then
        echo "a kernel on which dockerd runs: $(tail -n 1 "$folder/log")"
        exit 0
    fi
    sleep 0.1
done
leftover=$(docker ps --all --quiet 9>&-)
[ -z "$leftover" ] || docker rm --force $leftover >&2 9>&-
if ! docker image inspect $image >/dev/null 2>&1 9>&-; then
    rm -rf "$folder/root"
    . /etc/os-release
    debootstrap --variant=minbase --include=python3 "$VERSION_CODENAME" "$folder/root" >&2 9>&-
    tar -C "$folder/root" -c . | docker import - $image >&2 9>&-
    rm -rf "$folder/root"
fi
echo ready
exec >/dev/null
read _ || true
"#;

/// A running engine.
pub(crate) struct Engine {
    /// What `DOCKER_HOST` is for it.
    pub(crate) host: String,
    /// While it is open, the engine runs.
    _alive: ChildStdin,
}

static ENGINE: LazyLock<Result<Engine, String>> = LazyLock::new(start);

/// The engine; `None`, said aloud, where there can be none.
pub(crate) fn engine() -> Option<&'static Engine> {
    match &*ENGINE {
        Ok(engine) => Some(engine),
        Err(lacking) => {
            assert!(
                std::env::var_os("SNAKEPIT_TESTS_REQUIRE").is_none_or(|level| level != "all"),
                "needs {lacking}"
            );
            // Not `eprintln!`, which the test harness swallows when a test passes.
            let _ = writeln!(std::io::stderr(), "skipped: needs {lacking}");
            None
        }
    }
}

fn start() -> Result<Engine, String> {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .parent()
        .expect("it is a folder of the target folder");
    let folder: PathBuf = target.join("test-tools").join("docker");
    std::fs::create_dir_all(&folder).expect("the target folder can be written");
    let said = folder.join("set-up.log");
    let log = std::fs::File::create(&said).expect("the target folder can be written");
    let mut shell = Command::new("sh")
        .args(["-c", SCRIPT, "sh"])
        .arg(&folder)
        .arg(IMAGE)
        .env("PATH", search_path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(log)
        .spawn()
        .expect("the tests need `sh`");
    let alive = shell.stdin.take().expect("it is piped");
    let mut first = String::new();
    let output = shell.stdout.take().expect("it is piped");
    BufReader::new(output)
        .read_line(&mut first)
        .expect("a shell prints text");
    match first.trim_end() {
        "ready" => Ok(Engine {
            host: format!("unix://{}", folder.join("docker.sock").display()),
            _alive: alive,
        }),
        "" => panic!(
            "the Docker engine was not set up: {}",
            std::fs::read_to_string(&said).unwrap_or_default()
        ),
        lacking => Err(lacking.to_owned()),
    }
}

/// With the folders where Debian keeps programs of root.
fn search_path() -> std::ffi::OsString {
    let mut path = std::env::var_os("PATH").unwrap_or_default();
    path.push(":/usr/sbin:/sbin:/usr/bin:/bin");
    path
}

impl Engine {
    /// `docker <args>`, to its end.
    pub(crate) fn run(&self, args: &[&str]) -> Output {
        Command::new("docker")
            .args(args)
            .env("DOCKER_HOST", &self.host)
            .env_remove("DOCKER_CONTEXT")
            .output()
            .expect("the engine's set-up installed the client")
    }

    /// What `docker <args>` prints.
    #[track_caller]
    pub(crate) fn docker(&self, args: &[&str]) -> String {
        let output = self.run(args);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "docker {args:?}: {stderr}");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// A new container that runs and does nothing; one of the same name goes first.
    pub(crate) fn container(&self, name: &str) -> Container<'_> {
        let _ = self.run(&["rm", "--force", name]);
        self.docker(&[
            "run", "--detach", "--init", "--name", name, IMAGE, "sleep", "600",
        ]);
        Container {
            engine: self,
            name: name.to_owned(),
        }
    }
}

/// A container, removed at the end of its test.
pub(crate) struct Container<'a> {
    engine: &'a Engine,
    pub(crate) name: String,
}

impl Container<'_> {
    /// What a shell's command prints inside.
    #[track_caller]
    pub(crate) fn shell(&self, command: &str) -> String {
        self.engine
            .docker(&["exec", &self.name, "sh", "-c", command])
    }

    /// How many interpreters run inside.
    pub(crate) fn pythons(&self) -> usize {
        let processes = self.engine.docker(&["top", &self.name, "-eo", "pid,args"]);
        processes
            .lines()
            .filter(|line| line.contains("python3"))
            .count()
    }
}

impl Drop for Container<'_> {
    fn drop(&mut self) {
        let _ = self.engine.run(&["rm", "--force", &self.name]);
    }
}
