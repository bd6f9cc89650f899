//! What an upgrade of an interpreter leaves behind for Cargo to see. Cargo compares times, and packages bring their
//! files' times with them: an interpreter that was installed a minute ago looks months older than the last build.

use std::path::Path;

use crate::host::Host;

/// Where dpkg keeps the list of each package's files, written anew by each installation.
/// <https://manpages.debian.org/dpkg-query.1#FILES>
const DPKG: &str = "/var/lib/dpkg/info";

/// Looks at the files that change, or vanish, when the interpreter behind `executable` becomes another one.
pub(crate) fn watch(executable: &Path, host: &dyn Host) {
    let Ok(interpreter) = host.canonical(executable) else {
        return;
    };
    // Looking is recording. Under its whole name it vanishes when its version goes.
    let _ = host.info(&interpreter);
    let (Some(folder), Some(name)) = (interpreter.parent(), interpreter.file_name()) else {
        return;
    };
    if folder == Path::new("/usr/bin") {
        for package in ["python3".as_ref(), name] {
            let mut list = package.to_owned();
            list.push("-minimal.list");
            let _ = host.info(&Path::new(DPKG).join(list));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::Cache;
    use crate::machine::Machine;
    use crate::recorder::Recorder;

    fn watched(executable: &Path) -> Vec<String> {
        let probes = Cache::default();
        let recorder = Recorder::new(&Machine, &probes);
        watch(executable, &recorder);
        let files = recorder.into_facts().files.into_iter();
        files.map(|(path, _)| path.display().to_string()).collect()
    }

    #[test]
    #[cfg(unix)]
    fn the_file_behind_a_link_is_watched_and_a_broken_link_is_nobody_s_fault_here() {
        let folder = tempfile::tempdir().unwrap();
        let base = std::fs::canonicalize(folder.path()).unwrap();
        let (link, interpreter) = (base.join("python"), base.join("python3.11"));
        std::os::unix::fs::symlink(&interpreter, &link).unwrap();
        assert!(watched(&link).is_empty());
        std::fs::write(&interpreter, "").unwrap();
        assert_eq!(watched(&link), [interpreter.display().to_string()]);
    }

    #[test]
    fn an_interpreter_of_debian_is_watched_through_the_records_of_its_packages() {
        let record = Path::new(DPKG).join("python3-minimal.list");
        if !record.is_file() {
            return snakepit_test_tools::skip("Debian's package python3-minimal");
        }
        let files = watched(Path::new("/usr/bin/python3"));
        assert!(files.contains(&record.display().to_string()), "{files:?}");
        assert!(files.len() == 3, "{files:?}");
    }
}
