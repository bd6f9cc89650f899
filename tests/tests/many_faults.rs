//! All that is wrong with a package in one build, and nothing beside it, from a real cargo.
#![allow(
    missing_docs,
    reason = "a test program has no readers of its documentation"
)]

use std::path::Path;

use snakepit_tests::HostPackage;

const TARGET: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/host-programs");

const MAIN: &str = r#"mod search;

use snakepit::{PoolConfig, snakepit_pools};

#[snakepit_pools]
#[derive(Debug, Default)]
pub struct AppConfig {
    pub listen: String,
    #[pool(environment = venv)]
    pub default: PoolConfig,
    #[pool(environment = uv(project_dir = "ml"), requires = ["numpy>=2"])]
    pub ml: PoolConfig,
    #[pool(environment = system(python_executable = "/nowhere/python3"))]
    pub machine: PoolConfig,
}

fn main() {
    let config = AppConfig::default();
    let _ = async { config.start_pools().await.map(|pools| (pools.default, pools.ml, pools.machine)) };
    let _ = (AppConfig::DEFAULT.pool, AppConfig::ML, AppConfig::MACHINE, AppConfig::POOLS);
    let _ = (search::SearchConfig::INDEX, search::SearchConfig::RANK);
}
"#;

const SEARCH: &str = r#"use snakepit::{PoolConfig, snakepit_pools};

#[snakepit_pools]
pub struct SearchConfig {
    #[pool(environment = poetry)]
    pub index: PoolConfig,
    #[pool(environment = custom("nix"))]
    pub rank: PoolConfig,
}
"#;

#[test]
fn five_failing_pools_of_two_structs_are_five_errors_in_one_build() {
    let host = HostPackage::new("host-five-faults", Path::new(TARGET), "", MAIN);
    host.write("src/search.rs", SEARCH);
    let said = host.build(&[]).failure();
    for (code, place) in [
        ("venv_not_found", "src/main.rs:9:26"),
        ("project_dir_not_found", "src/main.rs:11:43"),
        ("python_not_found", "src/main.rs:13:53"),
        ("poetry_project_not_found", "src/search.rs:5:26"),
        ("custom_environment_not_registered", "src/search.rs:7:26"),
    ] {
        let (_, rest) = said
            .split_once(&format!("[snakepit::{code}]"))
            .unwrap_or_else(|| panic!("no {code}:\n{said}"));
        let found = rest
            .lines()
            .find_map(|line| line.trim().strip_prefix("--> "));
        assert_eq!(found, Some(place), "{said}");
    }
    let errors = said.lines().filter(|line| line.starts_with("error"));
    // The last one is cargo's, which counts them.
    assert_eq!(errors.count(), 6, "{said}");
    assert!(said.contains("due to 5 previous errors"), "{said}");
}

#[test]
fn several_faults_of_one_pool_come_together_each_at_its_token() {
    let main = r#"use snakepit::{PoolConfig, snakepit_pools};

#[snakepit_pools]
pub struct AppConfig {
    #[pool(
        environment = venv(venv_path = "gone"),
        launch = manager,
        python = "three",
        requires = ["numpy>=2", "numpy>>2"],
        python_path = ["src", "python"],
    )]
    pub ml: PoolConfig,
    #[pool(environment = venv, size = 0)]
    pub other: PoolConfig,
}

fn main() {
    let _ = (AppConfig::ML, AppConfig::OTHER);
}
"#;
    let host = HostPackage::new("host-one-pool", Path::new(TARGET), "", main);
    let said = host.build(&[]).failure();
    let places = said
        .lines()
        .filter_map(|line| line.trim().strip_prefix("--> "));
    let mut places: Vec<&str> = places.collect();
    places.sort_by_key(|place| {
        place
            .split(':')
            .nth(1)
            .and_then(|line| line.parse::<u32>().ok())
    });
    assert_eq!(
        places,
        [
            "src/main.rs:6:40",
            "src/main.rs:7:18",
            "src/main.rs:8:18",
            "src/main.rs:9:33",
            "src/main.rs:10:31",
            "src/main.rs:13:39",
        ],
        "{said}"
    );
    assert!(said.contains("due to 6 previous errors"), "{said}");
}
