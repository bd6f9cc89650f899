//! A Docker engine of the tests' own, with one image: Debian's packages, a data root and a socket in the target
//! folder. It ends with the program that started it, however that ends.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Output, Stdio};
use std::sync::LazyLock;

use crate::skip;

/// The image, made of Debian's own packages. It has `python3`, which is `/usr/bin/python3.11` on Debian 12.
pub const IMAGE: &str = "snakepit-test";

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
#[derive(Debug)]
pub struct Engine {
    /// Its client.
    pub client: &'static str,
    /// What makes the client find it.
    pub variables: Vec<(&'static str, String)>,
    /// While its input is open, the engine runs.
    shell: Option<Child>,
}

/// The engine; `None`, said aloud, where there can be none.
///
/// # Panics
/// If there can be none and `SNAKEPIT_TESTS_REQUIRE=all` is set, or if its set-up fails.
#[track_caller]
pub fn engine() -> Option<&'static Engine> {
    static ENGINE: LazyLock<Result<Engine, String>> = LazyLock::new(start_docker);
    ENGINE.as_ref().map_err(|lacking| skip(lacking)).ok()
}

/// Starts the engine; the next one waits until this one has been dropped.
///
/// # Errors
/// What it lacks.
///
/// # Panics
/// If its set-up fails.
pub fn start_docker() -> Result<Engine, String> {
    let folder = crate::folder().join("docker");
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
    let mut first = String::new();
    let output = shell.stdout.take().expect("it is piped");
    BufReader::new(output)
        .read_line(&mut first)
        .expect("a shell prints text");
    match first.trim_end() {
        "ready" => {
            let socket = format!("unix://{}", folder.join("docker.sock").display());
            Ok(Engine {
                client: "docker",
                variables: vec![("DOCKER_HOST", socket)],
                shell: Some(shell),
            })
        }
        lacking => {
            shell.wait().expect("it has been started");
            let said = std::fs::read_to_string(&said).unwrap_or_default();
            assert!(!lacking.is_empty(), "the engine was not set up: {said}");
            Err(lacking.to_owned())
        }
    }
}

/// Installs podman where it is missing, and gives it the image of `docker`, with storage of its own.
const PODMAN: &str = r#"
set -eu
folder=$1 image=$2
if ! command -v podman >&2; then
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq >&2
    apt-get install -y -qq --no-install-recommends podman catatonit >&2
fi
printf '[storage]\ndriver = "overlay"\ngraphroot = "%s"\nrunroot = "%s"\n' "$folder/data" "$folder/run" \
    >"$folder/storage.conf"
# Limits and groups that a container inside a container may have, too.
printf '[containers]\nnetns = "none"\ndefault_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]\n[engine]\nruntime = "runc"\ncgroup_manager = "cgroupfs"\nevents_logger = "file"\n' \
    >"$folder/containers.conf"
if ! podman image inspect $image >/dev/null 2>&1; then
    container=$(docker create $image true)
    docker export "$container" | podman import - $image >&2
    docker rm "$container" >&2
fi
"#;

/// Podman, which needs no engine that runs; `None`, said aloud, where it cannot be had.
///
/// # Panics
/// If it cannot be had and `SNAKEPIT_TESTS_REQUIRE=all` is set.
#[track_caller]
pub fn podman() -> Option<Engine> {
    start_podman(engine()?)
        .map_err(|lacking| skip(&lacking))
        .ok()
}

/// Podman, with the image of `docker`.
///
/// # Errors
/// Why it cannot be had.
///
/// # Panics
/// If the target folder cannot be written.
pub fn start_podman(docker: &Engine) -> Result<Engine, String> {
    let folder = crate::folder().join("docker/podman");
    std::fs::create_dir_all(&folder).expect("the target folder can be written");
    let file = |name: &str| folder.join(name).display().to_string();
    let variables = vec![
        ("CONTAINERS_STORAGE_CONF", file("storage.conf")),
        ("CONTAINERS_CONF", file("containers.conf")),
    ];
    let output = Command::new("sh")
        .args(["-c", PODMAN, "sh"])
        .arg(&folder)
        .arg(IMAGE)
        .envs(variables.iter().cloned())
        .envs(docker.variables.iter().cloned())
        .env("PATH", search_path())
        .output()
        .expect("the tests need `sh`");
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(format!("podman: {}", said.trim()));
    }
    Ok(Engine {
        client: "podman",
        variables,
        shell: None,
    })
}

/// With the folders where Debian keeps programs of root.
fn search_path() -> std::ffi::OsString {
    let mut path = std::env::var_os("PATH").unwrap_or_default();
    path.push(":/usr/sbin:/sbin:/usr/bin:/bin");
    path
}

impl Engine {
    /// The client with these arguments, to its end.
    ///
    /// # Panics
    /// If there is no client.
    pub fn run(&self, args: &[&str]) -> Output {
        Command::new(self.client)
            .args(args)
            .envs(self.variables.iter().cloned())
            .env_remove("DOCKER_CONTEXT")
            .output()
            .expect("the engine's set-up installed the client")
    }

    /// What the client prints with these arguments.
    ///
    /// # Panics
    /// If it fails.
    #[track_caller]
    pub fn output(&self, args: &[&str]) -> String {
        let output = self.run(args);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success(),
            "{} {args:?}: {stderr}",
            self.client
        );
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// A new container that runs and does nothing; one of the same name goes first.
    ///
    /// # Panics
    /// If it cannot be made.
    pub fn container(&self, name: &str) -> Container<'_> {
        let _ = self.run(&["rm", "--force", name]);
        self.output(&[
            "run", "--detach", "--init", "--name", name, IMAGE, "sleep", "600",
        ]);
        Container {
            engine: self,
            name: name.to_owned(),
        }
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        if let Some(shell) = &mut self.shell {
            drop(shell.stdin.take());
            let _ = shell.wait();
        }
    }
}

/// A container, removed at the end of its test.
#[derive(Debug)]
pub struct Container<'a> {
    engine: &'a Engine,
    /// Its name.
    pub name: String,
}

impl Container<'_> {
    /// What a shell's command prints inside.
    ///
    /// # Panics
    /// If it fails.
    #[track_caller]
    pub fn shell(&self, command: &str) -> String {
        self.engine
            .output(&["exec", &self.name, "sh", "-c", command])
    }

    /// How many interpreters run inside.
    ///
    /// # Panics
    /// If the engine does not tell.
    pub fn pythons(&self) -> usize {
        let processes = self.engine.output(&["top", &self.name, "-eo", "pid,args"]);
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
