//! Makes the virtual environment that the measurements run in, then resolves the pools as any program does.

use std::path::Path;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-env-changed=SNAKEPIT_PYTHON");
    let python = std::env::var_os("SNAKEPIT_PYTHON").unwrap_or_else(|| "python3".into());
    // Without it the attribute says what is missing.
    let venv = Path::new("../target/bench-venv");
    if !venv.join("pyvenv.cfg").exists() {
        let _ = Command::new(python)
            .args(["-m", "venv", "--without-pip"])
            .arg(venv)
            .status();
    }
    snakepit_build::emit();
}
