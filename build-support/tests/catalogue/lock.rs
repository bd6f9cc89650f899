//! What is wrong with `snakepit.lock`. `cargo snakepit lock` writes it again, which stands in most of the helps.

use snakepit_build::Code;

use crate::Proof;
use crate::site::Site;

const AGAIN: &str = "`cargo snakepit lock`";

pub(crate) const PROOFS: &[Proof] = &[
    Proof {
        code: Code::LockConflict,
        place: "struct",
        says: &["snakepit.lock` has the marks of a merge conflict at line 3"],
        help: AGAIN,
        scene: || Some(Site::with_edited_lock(merged)),
        mend: again,
    },
    Proof {
        code: Code::LockInvalid,
        place: "struct",
        says: &["snakepit.lock` was cut off"],
        help: AGAIN,
        scene: || {
            Some(Site::with_edited_lock(|text| {
                text[..text.len() / 2].to_owned()
            }))
        },
        mend: again,
    },
    Proof {
        code: Code::LockInvalid,
        place: "struct",
        says: &["has a pool `AppConfig.ml` that cannot be used: missing field `command`"],
        help: AGAIN,
        scene: || Some(Site::with_edited_lock(|text| without(text, "command = "))),
        mend: again,
    },
    Proof {
        code: Code::LockKeyUnknown,
        place: "struct",
        says: &["has a key `pools.AppConfig.ml.metadata.python`"],
        help: AGAIN,
        scene: || {
            Some(Site::with_edited_lock(|text| {
                text.replace("python_version = ", "python = 3\npython_version = ")
            }))
        },
        mend: again,
    },
    Proof {
        code: Code::LockMismatch,
        place: "pool",
        says: &["\n  metadata.python_version: the lock says `3.0.1`, here is `3."],
        help: AGAIN,
        scene: || Some(Site::with_edited_lock(other_version)),
        mend: again,
    },
    Proof {
        code: Code::LockNotFound,
        place: "struct",
        says: &["there is no `", "my app/snakepit.lock`"],
        help: AGAIN,
        scene: || {
            let mut site = Site::with_venv();
            site.set("SNAKEPIT_OFFLINE", "1");
            Some(site)
        },
        mend: again,
    },
    Proof {
        code: Code::LockPathInvalid,
        place: "struct",
        says: &[
            "at `pools.AppConfig.ml.command`",
            "leaves its root `{package}`",
        ],
        help: AGAIN,
        scene: || {
            Some(Site::with_edited_lock(|text| {
                text.replace("command = \"{package}/", "command = \"{package}/../")
            }))
        },
        mend: again,
    },
    Proof {
        code: Code::LockPathInvalid,
        place: "struct",
        says: &["`bin/python3` is no path from a root or from the top"],
        help: AGAIN,
        scene: || {
            Some(Site::with_edited_lock(|text| {
                text.replace("command = \"{package}/.venv/", "command = \"")
            }))
        },
        mend: again,
    },
    Proof {
        code: Code::LockPoolMissing,
        place: "pool",
        says: &["`snakepit.lock` has no pool `AppConfig.ml`"],
        help: AGAIN,
        scene: || {
            Some(Site::with_edited_lock(|_| {
                "version = 1\n# end of the lock\n".to_owned()
            }))
        },
        mend: again,
    },
    Proof {
        code: Code::LockPoolUnknown,
        place: "struct",
        says: &["`snakepit.lock` has a pool `Gone.ml`, which no struct declares"],
        help: AGAIN,
        scene: || Some(Site::with_edited_lock(with_another)),
        mend: again,
    },
    Proof {
        code: Code::LockRootUnknown,
        place: "pool",
        says: &["paths from the root `{conda}`"],
        help: "set `SNAKEPIT_ROOT_CONDA`",
        scene: || {
            let mut site = Site::with_edited_lock(|text| text.replace("{package}", "{conda}"));
            site.set("SNAKEPIT_OFFLINE", "1");
            Some(site)
        },
        mend: |site, _| site.set("SNAKEPIT_ROOT_CONDA", "/opt/conda"),
    },
    Proof {
        code: Code::LockTooNew,
        place: "struct",
        says: &["has the form 2", "knows no form after 1"],
        help: AGAIN,
        scene: || {
            Some(Site::with_edited_lock(|text| {
                text.replace("version = 1\n", "version = 2\n")
            }))
        },
        mend: again,
    },
];

fn again(site: &mut Site, _: &str) {
    site.lock();
}

/// What git leaves where two branches changed the lock.
fn merged(text: &str) -> String {
    let mut lines: Vec<&str> = text.lines().collect();
    lines.insert(2, "<<<<<<< HEAD");
    lines.insert(4, "=======\n>>>>>>> other");
    lines.join("\n")
}

fn other_version(text: &str) -> String {
    let lines = text
        .lines()
        .map(|line| match line.starts_with("python_version = ") {
            true => "python_version = \"3.0.1\"\n".to_owned(),
            false => format!("{line}\n"),
        });
    lines.collect()
}

fn without(text: &str, start: &str) -> String {
    let lines = text.lines().filter(|line| !line.starts_with(start));
    lines.map(|line| format!("{line}\n")).collect()
}

/// The lock with the pool once more, for a struct that was removed.
fn with_another(text: &str) -> String {
    let start = text.find("[pools").unwrap();
    let end = text.find("# end").unwrap();
    let other = text[start..end].replace("AppConfig", "Gone");
    format!("{}{other}{}", &text[..end], &text[end..])
}
