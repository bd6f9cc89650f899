//! What may happen to an environment after a program was built with it, and who notices: the check of the lock, and the
//! program's own re-check. `docs/guide/src/deploy.md` shows the table.
#![allow(
    missing_docs,
    reason = "a test program has no readers of its documentation"
)]

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use snakepit_build::{Builder, Lock};
use snakepit_test_tools::{Python, pythons, skip, tool, uv_project};
use snakepit_tests::{HostPackage, Outcome};

const TARGET: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/drift");

const MAIN: &str = r#"use snakepit::{PoolConfig, snakepit_pools};

#[snakepit_pools]
pub struct AppConfig {
    #[pool(environment = venv, adapter = "tools", python_path = ["python"])]
    pub ml: PoolConfig,
    #[pool(environment = uv(project_dir = "project"))]
    pub project: PoolConfig,
}

fn main() {
    for pool in AppConfig::POOLS {
        if let Err(drift) = pool.recheck() {
            println!("{drift}");
        }
    }
}
"#;

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/guide/src/deploy.md");

/// One thing that happens.
struct Case {
    what: &'static str,
    /// `None`: this machine has not what it takes.
    happen: fn(&Site) -> Option<()>,
    /// The fact that the lock's check tells, or the code of what is wrong.
    lock: &'static str,
    /// Whether the program notices at its start.
    quick: bool,
    /// The same, with `SNAKEPIT_RECHECK=thorough`.
    thorough: bool,
}

const CASES: &[Case] = &[
    Case {
        what: "the interpreter was removed",
        happen: |site| fs::remove_file(site.path("base")).ok(),
        lock: "venv_invalid",
        quick: true,
        thorough: true,
    },
    Case {
        what: "the interpreter was replaced by another version",
        happen: |site| site.base(|python, old| length(python) != length(old)),
        lock: "metadata.python_version",
        quick: true,
        thorough: true,
    },
    Case {
        what: "the same, and its file has the same length",
        happen: |site| site.base(|python, old| length(python) == length(old)),
        lock: "metadata.python_version",
        quick: false,
        thorough: true,
    },
    Case {
        what: "the virtual environment was removed",
        happen: |site| fs::remove_dir_all(site.path(".venv")).ok(),
        lock: "venv_not_found",
        quick: true,
        thorough: true,
    },
    Case {
        what: "the virtual environment was made again, of another Python",
        happen: |site| {
            fs::remove_dir_all(site.path(".venv")).ok()?;
            site.others.first()?.make_venv(&site.path(".venv"));
            Some(())
        },
        lock: "metadata.base_prefix",
        quick: true,
        thorough: true,
    },
    Case {
        what: "`pyvenv.cfg` was edited",
        happen: |site| {
            let file = site.path(".venv/pyvenv.cfg");
            let text = fs::read_to_string(&file).ok()?;
            let edited = text.replace("site-packages = false", "site-packages = true");
            assert_ne!(edited, text);
            fs::write(file, edited).ok()
        },
        lock: "checks.{package}/.venv/pyvenv.cfg.Content.text",
        quick: true,
        thorough: true,
    },
    Case {
        what: "a distribution was upgraded",
        happen: |site| {
            site.uninstall("demo")?;
            site.install("demo", "2.0")
        },
        lock: "fingerprint.distributions.demo",
        quick: false,
        thorough: true,
    },
    Case {
        what: "a distribution was removed",
        happen: |site| site.uninstall("demo"),
        lock: "fingerprint.distributions.demo",
        quick: false,
        thorough: true,
    },
    Case {
        what: "a distribution was added",
        happen: |site| site.install("more", "0.1"),
        lock: "fingerprint.distributions.more",
        quick: false,
        thorough: true,
    },
    Case {
        what: "`uv.lock` was changed",
        happen: |site| {
            let file = site.path("project/uv.lock");
            let text = fs::read_to_string(&file).ok()?;
            fs::write(file, text + "# edited\n").ok()
        },
        lock: "fingerprint.lock_files.{package}/project/uv.lock",
        quick: false,
        thorough: true,
    },
    Case {
        what: "a function was added to the adapter",
        happen: |site| {
            fs::write(
                site.path("python/tools.py"),
                TOOLS.repeat(2).replacen("greet", "more", 1),
            )
            .ok()
        },
        lock: "tools.more.name",
        quick: false,
        thorough: false,
    },
];

const TOOLS: &str = "def greet():\n    return 1\n\n\n";

/// The package, a copy of it as it was built, and other Pythons.
struct Site {
    package: HostPackage,
    copy: tempfile::TempDir,
    python: Python,
    others: Vec<Python>,
}

impl Site {
    fn new(uv: &Path, python: &Python, others: &[Python]) -> Self {
        let package = HostPackage::new(
            "host-drift",
            Path::new(TARGET),
            "default-features = false",
            MAIN,
        );
        package.write("python/tools.py", TOOLS);
        let site = Self {
            package,
            copy: tempfile::tempdir().unwrap(),
            python: python.clone(),
            others: others.to_vec(),
        };
        // It stands for the machine's Python, which a package manager replaces at its place.
        symlink(prefix(python), site.path("base")).unwrap();
        let mut make = Command::new(site.path("base/bin/python3"));
        Outcome::of(
            make.args(["-m", "venv", "--without-pip"])
                .arg(site.path(".venv")),
        )
        .stdout();
        site.install("demo", "1.0").unwrap();
        fs::create_dir(site.path("project")).unwrap();
        uv_project(uv, &site.path("project"));
        site
    }

    fn path(&self, relative: &str) -> PathBuf {
        self.package.path(relative)
    }

    /// Another version in the place of the machine's Python.
    fn base(&self, is_wanted: impl Fn(&Python, &Python) -> bool) -> Option<()> {
        let mut others = self.others.iter();
        let other = others.find(|other| is_wanted(other, &self.python))?;
        fs::remove_file(self.path("base")).ok()?;
        symlink(prefix(other), self.path("base")).ok()
    }

    fn site_packages(&self) -> PathBuf {
        let version = self.python.version.to_string();
        let minor: Vec<&str> = version.split('.').take(2).collect();
        self.path(&format!(
            ".venv/lib/python{}/site-packages",
            minor.join(".")
        ))
    }

    fn install(&self, name: &str, version: &str) -> Option<()> {
        let info = self
            .site_packages()
            .join(format!("{name}-{version}.dist-info"));
        fs::create_dir(&info).ok()?;
        fs::write(
            info.join("METADATA"),
            format!("Name: {name}\nVersion: {version}\n"),
        )
        .ok()
    }

    fn uninstall(&self, name: &str) -> Option<()> {
        let mut entries = fs::read_dir(self.site_packages()).ok()?.flatten();
        let is_own = |file: &str| file.starts_with(&format!("{name}-"));
        let info = entries.find(|entry| entry.file_name().to_str().is_some_and(is_own))?;
        fs::remove_dir_all(info.path()).ok()
    }

    /// Keeps the package as it is. Times are not kept: no level may rely on them.
    fn keep(&self) {
        copy(&self.path(""), self.copy.path());
    }

    fn restore(&self) {
        for entry in fs::read_dir(self.path("")).unwrap().flatten() {
            match entry.file_type().unwrap().is_dir() {
                true => fs::remove_dir_all(entry.path()).unwrap(),
                false => fs::remove_file(entry.path()).unwrap(),
            }
        }
        copy(self.copy.path(), &self.path(""));
    }

    /// What the check of the lock says: the facts that differ, or the codes of what is wrong.
    fn checked(&self) -> Vec<String> {
        let package = self.path("");
        let lock = Lock::read(&package).unwrap().expect("it was written");
        match Builder::new().lock(&package) {
            Ok(found) => lock
                .compare(&found)
                .into_iter()
                .map(|difference| difference.fact)
                .collect(),
            Err(refused) => refused
                .iter()
                .map(|one| one.fault.code().to_owned())
                .collect(),
        }
    }

    /// What the program says when it starts.
    fn rechecked(&self, level: &str) -> String {
        Outcome::of(self.package.program().env("SNAKEPIT_RECHECK", level)).stdout()
    }
}

/// The content of a folder, without its times.
fn copy(from: &Path, to: &Path) {
    let mut cp = Command::new("cp");
    cp.args(["-r", "--no-dereference"])
        .arg(from.join("."))
        .arg(to);
    Outcome::of(&mut cp).stdout();
}

fn prefix(python: &Python) -> &Path {
    python
        .path
        .parent()
        .and_then(Path::parent)
        .expect("`bin` stands in a prefix")
}

fn length(python: &Python) -> u64 {
    fs::metadata(&python.path).unwrap().len()
}

#[test]
fn every_drift_is_noticed_by_the_level_that_the_table_says() {
    let all = pythons();
    let Some(((python, others), uv)) = all.split_first().zip(tool("uv")) else {
        return;
    };
    if others.is_empty() {
        return skip("two Python versions");
    }
    let site = Site::new(&uv, python, others);
    Builder::new()
        .lock(&site.path(""))
        .unwrap()
        .write(&site.path(""))
        .unwrap();
    site.package.build(&[]).stdout();
    site.keep();
    site.restore();
    assert_eq!(site.checked(), [""; 0], "a copy is the same");
    for level in ["quick", "thorough"] {
        assert_eq!(site.rechecked(level), "", "a copy is the same: {level}");
    }

    let mut wrong = Vec::new();
    for case in CASES {
        if (case.happen)(&site).is_none() {
            skip(&format!("what it takes for: {}", case.what));
            continue;
        }
        let checked = site.checked();
        let [quick, thorough] = ["quick", "thorough"].map(|level| site.rechecked(level));
        println!(
            "{}\n  lock: {checked:?}\n  quick: {quick}\n  thorough: {thorough}",
            case.what
        );
        if !checked.iter().any(|fact| fact == case.lock)
            || case.quick == quick.is_empty()
            || case.thorough == thorough.is_empty()
        {
            wrong.push(case.what);
        }
        site.restore();
    }
    assert!(wrong.is_empty(), "not as the table says: {wrong:#?}");
}

#[test]
fn the_page_has_the_table() {
    let mark = |is_seen| if is_seen { "yes" } else { "no" };
    let rows = CASES.iter().map(|case| {
        let (what, quick, thorough) = (case.what, mark(case.quick), mark(case.thorough));
        format!("| {what} | yes | {quick} | {thorough} |\n")
    });
    let table: String = rows.collect();
    let page = fs::read_to_string(PAGE).unwrap_or_default();
    assert!(
        page.contains(&table),
        "`docs/guide/src/deploy.md` wants these rows:\n{table}"
    );
}
