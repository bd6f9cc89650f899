//! The places where an annotated struct may stand, and the commands that expand it, with a real cargo.
#![allow(
    missing_docs,
    reason = "a test program has no readers of its documentation"
)]

use std::path::Path;

use snakepit_test_tools::skip;
use snakepit_tests::{HostPackage, Outcome};

const TARGET: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/host-programs");

const MAIN: &str = r#"mod a;
mod b;
#[cfg(any(windows, feature = "gpu"))]
mod elsewhere;
mod renamed {
    pub use snakepit::*;
}

#[renamed::snakepit_pools(crate = crate::renamed)]
#[derive(Debug, Default)]
pub struct Named {
    #[pool(environment = system)]
    pub r#type: renamed::PoolConfig,
}

use snakepit::{PoolConfig, snakepit_pools};

#[snakepit_pools]
#[derive(Debug, Default)]
pub struct Conditional {
    #[pool(environment = system)]
    pub always: PoolConfig,
    #[cfg(windows)]
    #[pool(environment = venv(venv_path = "nowhere"))]
    pub windows: PoolConfig,
    #[cfg(feature = "gpu")]
    #[pool(environment = venv(venv_path = "no-gpu"))]
    pub gpu: PoolConfig,
    #[cfg(all(test, not(test)))]
    #[pool(environment = venv(venv_path = "never"))]
    pub never: PoolConfig,
    #[cfg(unix)]
    #[pool(environment = system, size = 2)]
    pub machine: PoolConfig,
    #[cfg(not(unix))]
    #[pool(environment = system, size = 3)]
    pub machine: PoolConfig,
}

#[cfg_attr(unix, snakepit_pools)]
#[derive(Debug, Default)]
pub struct Under {
    #[cfg_attr(unix, pool(environment = system, size = 7))]
    pub here: PoolConfig,
    #[cfg_attr(windows, pool(environment = venv(venv_path = "nowhere")))]
    pub there: PoolConfig,
}

#[snakepit_pools]
#[cfg(windows)]
pub struct Behind {
    #[pool(environment = venv(venv_path = "nowhere"))]
    pub behind: PoolConfig,
}

#[cfg(windows)]
mod windows {
    #[snakepit::snakepit_pools]
    pub struct Around {
        #[pool(environment = venv(venv_path = "nowhere"))]
        pub around: snakepit::PoolConfig,
    }
}

fn inside() -> usize {
    #[snakepit_pools]
    struct Inner {
        #[pool(environment = system)]
        #[allow(dead_code)]
        inner: PoolConfig,
    }
    Inner::POOLS.len()
}

fn main() {
    let config = Conditional::default();
    drop(async { config.start_pools().await.map(|pools| (pools.always, pools.machine)) });
    drop(async { Named::default().start_pools().await.map(|pools| pools.r#type) });
    let names: Vec<&str> = Conditional::POOLS.iter().map(|spec| spec.pool).collect();
    println!("{names:?} {} {}", Named::TYPE.pool, inside());
    println!("{} {}", a::Config::ML.defaults.size, b::Config::ML.defaults.size);
    println!("{}", Conditional::MACHINE.defaults.size);
    println!("{} {}", Under::HERE.defaults.size, Under::POOLS.len());
}
"#;

/// A struct of one name in several places.
fn config(size: u32) -> String {
    format!(
        "use snakepit::{{PoolConfig, snakepit_pools}};\n\n#[snakepit_pools]\n#[derive(Debug, Default)]\n\
         pub struct Config {{\n    #[pool(environment = system, size = {size})]\n    pub ml: PoolConfig,\n}}\n"
    )
}

fn package(name: &str) -> HostPackage {
    let host = HostPackage::new(name, Path::new(TARGET), "", MAIN);
    let manifest = std::fs::read_to_string(host.path("Cargo.toml")).unwrap();
    host.write("Cargo.toml", &format!("{manifest}\n[features]\ngpu = []\n"));
    host.write("src/a.rs", &config(3));
    host.write("src/b.rs", &config(4));
    host.write("src/elsewhere/mod.rs", "pub mod deep;\n");
    let deep = config(8).replace(
        "environment = system",
        "environment = venv(venv_path = \"deep\")",
    );
    host.write("src/elsewhere/deep.rs", &deep);
    host
}

#[test]
fn conditions_modules_functions_and_names_make_no_difference_to_the_program() {
    let host = package("host-everywhere");
    let built = host.build(&[]);
    let said = built.stderr.clone();
    built.stdout();
    assert!(!said.contains("warning"), "{said}");
    let printed = Outcome::of(&mut host.program()).stdout();
    assert_eq!(printed, "[\"always\", \"machine\"] type 1\n3 4\n2\n7 1\n");

    // The pools that the feature brings, one of them with its file, are the only ones that fail.
    let said = host.build(&["--features", "gpu"]).failure();
    assert!(
        said.contains("no virtual environment at `") && said.contains("no-gpu`"),
        "{said}"
    );
    assert!(said.contains("--> src/elsewhere/deep.rs:6:"), "{said}");
    assert!(said.contains("due to 2 previous errors"), "{said}");
}

#[test]
fn tests_and_examples_have_pools_and_every_command_of_cargo_expands_them() {
    let host = package("host-commands");
    let rest = "\nfn main() {\n    assert_eq!(Config::POOLS.len(), 1);\n}\n";
    host.write("examples/small.rs", &(config(5) + rest));
    let rest = "\n#[test]\nfn the_constant_is_there() {\n    assert_eq!(Config::ML.defaults.size, 6);\n}\n";
    host.write("tests/whole.rs", &(config(6) + rest));
    for command in [
        &["check", "--all-targets"][..],
        &["test"],
        &["doc", "--no-deps"],
        &["run", "--example", "small"],
    ] {
        Outcome::of(host.cargo(command).arg("--offline")).stdout();
    }
}

#[test]
fn what_is_written_into_a_program_gives_clippy_nothing_to_say() {
    let host = package("host-clippy");
    if !Outcome::of(&mut host.cargo(["clippy", "--version"])).success {
        return skip("clippy");
    }
    let lints =
        ["clippy::all", "clippy::pedantic", "warnings"].map(|lint| format!("--deny={lint}"));
    let mut clippy = host.cargo(["clippy", "--offline", "--all-targets", "--"]);
    Outcome::of(clippy.args(lints)).stdout();
    // It is the program that is read: what is wrong in it is told.
    host.write(
        "src/b.rs",
        &(config(4) + "\npub fn wrong() -> bool {\n    1 == 1\n}\n"),
    );
    let said = Outcome::of(&mut host.cargo(["clippy", "--offline"])).failure();
    assert!(said.contains("eq_op"), "{said}");
}

const MEMBERS_MAIN: &str = r#"use snakepit::{PoolConfig, snakepit_pools};

#[snakepit_pools]
#[derive(Debug, Default)]
pub struct Config {
    #[pool(environment = system, size = 3)]
    pub ml: PoolConfig,
}

fn main() {
    let size = |pools: &[&snakepit::SpawnSpec]| pools[0].defaults.size;
    println!("{} {}", size(Config::POOLS), size(host_members_library::Config::POOLS));
}
"#;

#[test]
fn each_package_of_a_workspace_has_pools_and_faults_of_its_own() {
    let host = HostPackage::new("host-members", Path::new(TARGET), "", MEMBERS_MAIN);
    let manifest = std::fs::read_to_string(host.path("Cargo.toml")).unwrap();
    let broken = "#[pool(environment = venv(venv_path = \"nowhere\"))] ml: snakepit::PoolConfig";
    let broken = format!("#[snakepit::snakepit_pools]\npub struct Config {{ {broken} }}\n");
    for (member, source) in [("library", config(4)), ("broken", broken)] {
        let own = manifest.replace("host-members", &format!("host-members-{member}"));
        host.write(&format!("{member}/Cargo.toml"), &own);
        host.write(
            &format!("{member}/build.rs"),
            "fn main() { snakepit_build::emit(); }\n",
        );
        host.write(&format!("{member}/src/lib.rs"), &source);
    }
    host.depend_on("host-members-library = { path = \"library\" }");
    let whole = std::fs::read_to_string(host.path("Cargo.toml")).unwrap();
    let members = "\n[workspace]\nmembers = [\"library\", \"broken\"]\n";
    host.write("Cargo.toml", &(whole + members));

    host.build(&[]).stdout();
    let printed = Outcome::of(&mut host.program()).stdout();
    assert_eq!(printed, "3 4\n");
    let said = host.build(&["--workspace"]).failure();
    let nowhere = host.path("broken/nowhere");
    let wanted = format!("no virtual environment at `{}`", nowhere.display());
    assert!(said.contains(&wanted), "{said}");
    assert_eq!(said.matches("[snakepit::").count(), 1, "{said}");
}
