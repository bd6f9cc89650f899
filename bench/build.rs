//! Makes the virtual environment that the measurements run in, then resolves the pools as any program does.

use std::path::Path;
use std::process::Command;

fn main() {
    // Without it the attribute says what is missing.
    let venv = Path::new("../target/bench-venv");
    if !venv.join("pyvenv.cfg").exists() {
        let _ = Command::new("python3")
            .args(["-m", "venv", "--without-pip"])
            .arg(venv)
            .status();
    }
    snakepit_build::emit();
}
