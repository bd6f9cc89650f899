//! Bad input for the parsers, made by libFuzzer: what runs is in `fuzz/`, which is no part of the workspace.

use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::process::Command;

/// How long each target runs unless it is said.
const SECONDS: u32 = 600;

/// What is asked for: one target or all of them, each for so many seconds.
#[derive(Debug, PartialEq, Eq)]
struct Asked {
    target: Option<String>,
    seconds: u32,
}

/// Runs a target, or one after another.
///
/// # Errors
/// The options are no such, the nightly compiler or `cargo-fuzz` is missing, or the fuzzer found something.
pub(crate) fn run(options: &[OsString]) -> Result<(), String> {
    let asked = asked(options)?;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz");
    let all = targets(&folder)?;
    let chosen = match asked.target {
        None => all,
        Some(target) if all.contains(&target) => vec![target],
        Some(target) => {
            let all = all.join(", ");
            return Err(format!("there is no target `{target}`; known are {all}"));
        }
    };
    for target in chosen {
        println!("\n== {target}: {} s", asked.seconds);
        fuzz(&folder, &target, asked.seconds)?;
    }
    Ok(())
}

fn asked(options: &[OsString]) -> Result<Asked, String> {
    let mut asked = Asked {
        target: None,
        seconds: SECONDS,
    };
    let mut options = options.iter().map(|option| option.to_string_lossy());
    while let Some(option) = options.next() {
        match &*option {
            "--seconds" => {
                let count = options.next().and_then(|count| count.parse().ok());
                asked.seconds = count.ok_or("`--seconds` wants a number behind it")?;
            }
            option if option.starts_with('-') => return Err(format!("no option `{option}`")),
            target if asked.target.is_none() => asked.target = Some(target.to_owned()),
            other => {
                return Err(format!(
                    "one target or all of them, but `{other}` is a second"
                ));
            }
        }
    }
    Ok(asked)
}

/// Every target, by the name of its program.
fn targets(folder: &Path) -> Result<Vec<String>, String> {
    let programs = folder.join("fuzz_targets");
    let entries =
        fs::read_dir(&programs).map_err(|error| format!("`{}`: {error}", programs.display()))?;
    let names = entries.flatten().map(|entry| entry.path());
    let mut names: Vec<String> = names
        .filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()))
        .collect();
    names.sort();
    Ok(names)
}

fn fuzz(folder: &Path, target: &str, seconds: u32) -> Result<(), String> {
    let [corpus, seeds] = ["corpus", "seeds"].map(|name| folder.join(name).join(target));
    fs::create_dir_all(&corpus).map_err(|error| format!("`{}`: {error}", corpus.display()))?;
    let status = Command::new("rustup")
        .args(["run", "nightly", "cargo", "fuzz", "run", "--fuzz-dir"])
        .args([folder, Path::new(target), &corpus, &seeds])
        .args(["--", "-rss_limit_mb=1024", "-timeout=10"])
        .arg(format!("-max_total_time={seconds}"))
        .status()
        .map_err(|error| format!("`rustup` did not start: {error}"))?;
    if status.success() {
        return Ok(());
    }
    Err(format!(
        "`{target}` ended with {status}; it wants `rustup toolchain install nightly` and `cargo install cargo-fuzz`, \
         and what it found is in `fuzz/artifacts/{target}`"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_and_the_time_may_be_given_in_any_order_or_not_at_all() {
        let read = |text: &str| {
            let words: Vec<OsString> = text.split_whitespace().map(Into::into).collect();
            asked(&words).map(|asked| (asked.target.unwrap_or_default(), asked.seconds))
        };
        assert_eq!(read(""), Ok((String::new(), SECONDS)));
        for text in ["frame --seconds 5", "--seconds 5 frame"] {
            assert_eq!(read(text), Ok(("frame".to_owned(), 5)));
        }
        for wrong in ["--seconds", "--seconds soon", "--fast", "frame manifest"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_targets_are_those_that_have_a_program() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz");
        let found = targets(&folder).unwrap();
        assert!(found.contains(&"frame".to_owned()), "{found:?}");
    }
}
