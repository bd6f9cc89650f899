//! What was measured, as files: a table in Markdown and the same rows in JSON for each subject, and plots.

use std::path::PathBuf;
use std::process::Command;
use std::{fs, thread};

use serde::Serialize;

use crate::table::Row;
use crate::{Effort, Pools};

/// The rows of one subject, and what they were measured on.
#[derive(Serialize)]
struct Report<'a> {
    subject: &'a str,
    /// What measures them again.
    command: String,
    #[serde(flatten)]
    circumstances: Circumstances,
    rows: &'a [Row],
}

#[derive(Serialize)]
struct Circumstances {
    date: String,
    processor: String,
    processors: usize,
    memory: String,
    /// How many processes wanted a processor in the last minute: above the number of processors, times mean little.
    load: String,
    kernel: String,
    rustc: String,
    python: String,
    snakepit: &'static str,
}

/// Where the files go.
///
/// # Errors
/// It cannot be made.
pub(crate) fn folder() -> Result<PathBuf, String> {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/benchmarks"));
    fs::create_dir_all(&folder).map_err(|error| format!("`{}`: {error}", folder.display()))?;
    Ok(folder)
}

/// Writes the files of one subject.
///
/// # Errors
/// They cannot be written.
pub(crate) fn write(subject: &str, effort: Effort, rows: &[Row]) -> Result<(), String> {
    let quick = match effort {
        Effort::Full => "",
        Effort::Quick => "--quick ",
    };
    let report = Report {
        subject,
        command: format!("cargo xtask bench {quick}--save {subject}"),
        circumstances: Circumstances::now(),
        rows,
    };
    let folder = folder()?;
    let json = serde_json::to_string_pretty(&report).expect("texts and numbers have a JSON form");
    for (ending, text) in [("json", json + "\n"), ("md", report.markdown())] {
        let file = folder.join(format!("{subject}.{ending}"));
        fs::write(&file, text).map_err(|error| format!("`{}`: {error}", file.display()))?;
    }
    Ok(())
}

impl Report<'_> {
    fn markdown(&self) -> String {
        let Circumstances {
            date,
            processor,
            processors,
            memory,
            load,
            kernel,
            rustc,
            python,
            snakepit,
        } = &self.circumstances;
        let mut text = format!(
            "# {}\n\n{date}, on {processors} processors ({processor}), {memory}, load {load}, {kernel}; snakepit \
             {snakepit}, {rustc}, {python}. Medians of one run of `{}`.\n\n{}\n",
            self.subject,
            self.command,
            Row::HEAD
        );
        for row in self.rows {
            text += &format!("{row}\n");
        }
        text
    }
}

impl Circumstances {
    fn now() -> Self {
        let python = &Pools::VENV.metadata;
        let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
        let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
        let kibibytes = field("/proc/meminfo", "MemTotal");
        let kibibytes = kibibytes
            .split(' ')
            .next()
            .and_then(|number| number.parse::<u64>().ok());
        Self {
            date: said("date", &["-u", "+%Y-%m-%d"]),
            processor: field("/proc/cpuinfo", "model name"),
            processors: thread::available_parallelism().map_or(1, Into::into),
            memory: format!("{} GiB", kibibytes.unwrap_or_default() >> 20),
            load: load.split(' ').next().unwrap_or_default().to_owned(),
            kernel: format!(
                "Linux {}",
                kernel.split('-').next().unwrap_or_default().trim()
            ),
            rustc: said("rustc", &["--version"]),
            python: format!("{} {}", python.implementation, python.python_version),
            snakepit: env!("CARGO_PKG_VERSION"),
        }
    }
}

/// `name : value` in a file of the kernel.
fn field(file: &str, name: &str) -> String {
    let text = fs::read_to_string(file).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    let value = line.and_then(|line| Some(line.split_once(':')?.1.trim().to_owned()));
    value.unwrap_or_else(|| "unknown".to_owned())
}

/// What a program prints.
fn said(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    output.map_or_else(
        |_| "unknown".to_owned(),
        |output| String::from_utf8_lossy(&output.stdout).trim().to_owned(),
    )
}
