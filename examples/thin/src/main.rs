//! Snakepit without its pool: the build finds and checks the Python, and the program starts it as any other command.

use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;

use snakepit::{PoolConfig, snakepit_pools};

#[snakepit_pools]
struct AppConfig {
    #[pool(python = ">=3.8")]
    words: PoolConfig,
}

/// It travels in the program.
const SCRIPT: &str = include_str!("../python/words.py");

const TEXT: &str = "the snake in the pit\nthe pit in the sand\n";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // The command is checked: an environment that is no longer what the build saw is an error here, and no riddle later.
    let mut python = AppConfig::WORDS
        .command()?
        .args(["-c", SCRIPT])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;

    // Dropped at once, so that Python sees the end of its input.
    python
        .stdin
        .take()
        .ok_or("its input is piped")?
        .write_all(TEXT.as_bytes())?;
    let output = python.stdout.take().ok_or("its output is piped")?;
    for line in BufReader::new(output).lines() {
        let line = line?;
        let (word, count) = line.split_once('\t').ok_or("a word and its count")?;
        println!("{count} × {word}");
    }
    let status = python.wait()?;
    println!(
        "Python {} of {} left with {status}",
        AppConfig::WORDS.metadata.python_version,
        AppConfig::WORDS.metadata.environment,
    );
    Ok(())
}
