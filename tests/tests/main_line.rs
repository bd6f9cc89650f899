//! Annotate, build, re-check, start: on this machine's own Python.
#![allow(
    missing_docs,
    reason = "a test program has no readers of its documentation"
)]

use snakepit::{PoolConfig, snakepit_pools};

#[snakepit_pools]
#[derive(Default)]
pub struct AppConfig {
    pub listen: String,
    #[pool(environment = system, python = ">=3", env(GREETING = "hi"), size = 3)]
    pub ml: PoolConfig,
}

#[test]
fn a_frozen_spec_starts_the_interpreter_that_the_build_found() {
    assert_eq!(AppConfig::POOLS.len(), 1);
    let spec = AppConfig::ML;
    assert_eq!((spec.pool, spec.defaults.size), ("ml", 3));
    spec.recheck().unwrap();
    let script = "import os, sys; print('%d.%d.%d' % sys.version_info[:3], os.environ['GREETING'])";
    let output = spec
        .command()
        .unwrap()
        .args(["-c", script])
        .output()
        .unwrap();
    let wanted = format!("{} hi\n", spec.metadata.python_version);
    assert_eq!(String::from_utf8_lossy(&output.stdout), wanted);
}
