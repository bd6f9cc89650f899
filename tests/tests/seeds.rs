//! Every seed of the fuzzer and every input that it once found, through the same functions without it.

use std::fs;
use std::path::{Path, PathBuf};

use snakepit_fuzz::TARGETS;

fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{folder:?}: {error}"));
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

fn names(folder: &Path) -> Vec<String> {
    let stem = |path: PathBuf| path.file_stem().unwrap().to_str().unwrap().to_owned();
    entries(folder).into_iter().map(stem).collect()
}

#[test]
fn no_seed_panics_hangs_or_comes_out_as_a_fault_that_nobody_can_read() {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz");
    let known: Vec<&str> = TARGETS.iter().map(|(name, _)| *name).collect();
    assert_eq!(names(&fuzz.join("seeds")), known);
    assert_eq!(names(&fuzz.join("fuzz_targets")), known);
    for (name, target) in TARGETS {
        let seeds = entries(&fuzz.join("seeds").join(name));
        assert!(seeds.len() > 2, "`{name}` has hardly a seed");
        for seed in seeds {
            // Shown where it fails.
            println!("{}", seed.display());
            target(&fs::read(&seed).unwrap());
        }
    }
}
