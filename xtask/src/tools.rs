//! What the checks need from the machine: which of it is there, and what is skipped without it.

use std::process::{Command, Stdio};
use std::thread;

use snakepit_test_tools as test_tools;
use test_tools::Python;

/// One tool of the machine.
pub(crate) struct Tool {
    pub(crate) name: &'static str,
    /// What is used, or why it is skipped and what is not checked therefore.
    pub(crate) state: Result<String, String>,
}

/// Looks for every tool, and installs what is missing where that can be done without asking.
pub(crate) fn prepare() -> Result<Vec<Tool>, String> {
    let mut tools = vec![
        Tool {
            name: "cargo",
            state: version(&["--version"]).ok_or_else(|| "`cargo` does not run".to_owned()),
        },
        component("rustfmt", "fmt", "the format is not checked"),
        component("clippy", "clippy", "the lints are not checked"),
    ];
    let python = test_tools::prepare_python()?;
    tools.push(used("python", describe(&python)));
    let pip = python.pip.as_deref().unwrap_or_default();
    tools.push(used("venv", format!("of this Python, with pip {pip}")));
    tools.push(other_pythons(&python));
    println!(
        "setting up the tests' tools in `{}`",
        test_tools::folder().display()
    );
    // The packages come over the network while the engine makes its image.
    let (packages, engines) = thread::scope(|scope| {
        let packages = scope.spawn(|| test_tools::PACKAGES.map(package));
        let engines = engines();
        (packages.join().expect("it does not panic"), engines)
    });
    tools.extend(packages);
    tools.extend(engines);
    tools.push(rootfs());
    tools.push(other_user());
    Ok(tools)
}

/// A tool from the package index, installed where it is not there yet.
fn package(name: &'static str) -> Tool {
    let state = test_tools::install(name).and_then(|bin| test_tools::version(name, &bin));
    Tool { name, state }
}

/// Docker and podman. The engine has ended when this returns: the tests start their own.
fn engines() -> [Tool; 2] {
    let no_docker = |why: &String| format!("needs {why}: nothing is tested in containers");
    let docker = test_tools::start_docker();
    let podman = docker.as_ref().map_err(no_docker).and_then(|docker| {
        let podman = test_tools::start_podman(docker)?;
        Ok(podman.output(&["version", "--format", "{{.Client.Version}}"]))
    });
    let docker = docker.map_err(|why| no_docker(&why)).map(|docker| {
        let version = docker.output(&["version", "--format", "{{.Server.Version}}"]);
        format!("{version}, with an image `{}`", test_tools::IMAGE)
    });
    [("docker", docker), ("podman", podman)].map(|(name, state)| Tool { name, state })
}

/// A root file system of Debian's packages, in which `chroot` runs programs.
fn rootfs() -> Tool {
    let made = test_tools::make_rootfs();
    let no_rootfs = |why| format!("needs {why}: no build without Python is tested");
    Tool {
        name: "rootfs",
        state: made
            .map(|root| format!("`{}`", root.display()))
            .map_err(no_rootfs),
    }
}

/// Without one, permissions cannot be tested: they mean nothing to root.
fn other_user() -> Tool {
    let asked = test_tools::unprivileged("id").and_then(|mut id| {
        let output = id.output().map_err(|error| format!("`id`: {error}"))?;
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    });
    Tool {
        name: "other user",
        state: asked.map_err(|why| format!("needs {why}: permissions are not tested")),
    }
}

fn other_pythons(first: &Python) -> Tool {
    let others: Vec<String> = test_tools::pythons()
        .iter()
        .filter(|python| python.version != first.version)
        .map(|python| python.version.to_string())
        .collect();
    let state = match others.is_empty() {
        false => Ok(others.join(", ")),
        true => Err(
            "no Python of another version with `venv`, neither on the search path nor in pyenv: \
             two pools with different Pythons are not tested"
                .to_owned(),
        ),
    };
    Tool {
        name: "other pythons",
        state,
    }
}

/// Prints one line for each tool.
///
/// # Errors
/// A tool is missing and `require_all` is set.
pub(crate) fn report(tools: &[Tool], require_all: bool) -> Result<(), String> {
    println!("tools");
    for Tool { name, state } in tools {
        match state {
            Ok(what) => println!("  {name:<13} {what}"),
            Err(why) => println!("  {name:<13} skipped: {why}"),
        }
    }
    let missing: Vec<_> = tools
        .iter()
        .filter(|tool| tool.state.is_err())
        .map(|tool| format!("`{}`", tool.name))
        .collect();
    if require_all && !missing.is_empty() {
        return Err(format!(
            "`SNAKEPIT_TESTS_REQUIRE=all` allows nothing to be skipped, but {} is missing",
            missing.join(", ")
        ));
    }
    Ok(())
}

fn used(name: &'static str, what: String) -> Tool {
    Tool {
        name,
        state: Ok(what),
    }
}

fn describe(python: &Python) -> String {
    format!("Python {}, `{}`", python.version, python.path.display())
}

/// A component of the Rust toolchain; rustup adds one that is missing.
fn component(name: &'static str, subcommand: &str, unchecked: &str) -> Tool {
    let arguments = [subcommand, "--version"];
    let found = version(&arguments).or_else(|| {
        let status = Command::new("rustup")
            .args(["component", "add", name])
            .status();
        if status.is_ok_and(|status| status.success()) {
            version(&arguments)
        } else {
            None
        }
    });
    let state =
        found.ok_or_else(|| format!("not installed (`rustup component add {name}`): {unchecked}"));
    Tool { name, state }
}

fn version(arguments: &[&str]) -> Option<String> {
    let output = Command::new("cargo")
        .args(arguments)
        .stderr(Stdio::null())
        .output()
        .ok()
        .filter(|output| output.status.success())?;
    Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::{Tool, report, used};

    #[test]
    fn a_missing_tool_is_a_failure_only_where_all_are_required() {
        let missing = Tool {
            name: "clippy",
            state: Err("not installed".to_owned()),
        };
        let tools = [used("cargo", "1.0".to_owned()), missing];
        assert!(report(&tools, false).is_ok());
        let why = report(&tools, true).expect_err("clippy is missing");
        assert!(why.contains("`clippy`"), "{why}");
    }
}
