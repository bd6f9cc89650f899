//! The README and the guide: their blocks of Rust compile, those of Python run in a worker, those of TOML can be read,
//! every link leads somewhere, and the book has each of its pages once.
#![allow(
    missing_docs,
    reason = "a test program has no readers of its documentation"
)]

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use snakepit::{Pool, PoolConfig, SpawnSpec, snakepit_pools};
use snakepit_build::declare::parse_file;
use snakepit_test_tools::python;
use snakepit_tests::{HostPackage, copy};

/// Shared with the other programs outside the workspace: what they depend on is compiled once.
const TARGET: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/host-programs");

/// What stands around a block that is a part of a program.
const AROUND: &str = r#"#![allow(unused, reason = "a block shows more than it uses")]

mod around {
    pub use serde_json::{Value, json};
    pub use snakepit::*;

    #[derive(serde::Deserialize)]
    pub struct Progress {
        pub loss: f64,
    }

    #[snakepit_pools]
    #[derive(Default)]
    pub struct AppConfig {
        #[pool]
        pub ml: PoolConfig,
    }
}

fn main() {}
"#;

#[snakepit_pools]
#[derive(Default)]
pub struct Pools {
    #[pool(environment = system)]
    pub plain: PoolConfig,
}

/// A block between fences, and where it stands.
struct Block {
    language: String,
    text: String,
    place: String,
}

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The README, and every page below `docs`.
fn pages() -> Vec<PathBuf> {
    let mut pages = vec![workspace().join("README.md")];
    let mut open = vec![workspace().join("docs")];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|found| found == "md") {
                pages.push(path);
            }
        }
    }
    pages.sort();
    pages
}

/// The folders of the examples.
fn examples() -> impl Iterator<Item = PathBuf> {
    let entries = fs::read_dir(workspace().join("examples")).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    paths.filter(|path| path.is_dir())
}

fn blocks_of(text: &str, page: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut open: Option<Block> = None;
    for (number, line) in text.lines().enumerate() {
        match (&mut open, line.trim_start().strip_prefix("```")) {
            (None, Some(language)) => {
                open = Some(Block {
                    language: language.to_owned(),
                    text: String::new(),
                    place: format!("{page}:{}", number + 1),
                });
            }
            (Some(_), Some("")) => blocks.extend(open.take()),
            (Some(block), _) => {
                block.text.push_str(line);
                block.text.push('\n');
            }
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "{page} has a block without an end");
    blocks
}

fn blocks(language: &str) -> Vec<Block> {
    let all = pages().into_iter().flat_map(|page| {
        let text = fs::read_to_string(&page).unwrap();
        let name = page.file_name().unwrap().to_string_lossy().into_owned();
        blocks_of(&text, &name)
    });
    let found: Vec<Block> = all.filter(|block| block.language == language).collect();
    assert!(!found.is_empty(), "there is no block of `{language}`");
    found
}

/// Links of a page, without those to other sites.
fn links(text: &str) -> impl Iterator<Item = &str> {
    let starts = text.match_indices("](");
    starts
        .filter_map(|(at, _)| text[at + 2..].split_once(')'))
        .map(|(link, _)| link)
        .filter(|link| !link.contains("://") && !link.contains(' '))
}

/// What a heading is called in a link.
fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter_map(|c| match c {
        ' ' => Some('-'),
        '-' | '_' => Some(c),
        c if c.is_alphanumeric() => Some(c.to_ascii_lowercase()),
        _ => None,
    });
    kept.collect()
}

fn anchors(text: &str) -> BTreeSet<String> {
    let headings = text.lines().filter(|line| line.starts_with('#'));
    headings
        .map(|line| anchor(line.trim_start_matches('#').trim()))
        .collect()
}

#[test]
fn every_block_of_rust_compiles() {
    let host = HostPackage::new("host-guide", Path::new(TARGET), "", "");
    host.depend_on("serde = { version = \"1\", features = [\"derive\"] }");
    host.depend_on("serde_json = \"1\"");
    host.depend_on("tokio = { version = \"1\", features = [\"macros\", \"rt-multi-thread\"] }");
    host.depend_on("toml = \"1\"");
    let build = workspace().join("build-support");
    host.depend_on(&format!("snakepit-build = {{ path = {build:?} }}"));
    python().make_venv(&host.path(".venv"));
    host.write("python/greetings.py", "def greet(name):\n    return name\n");
    let mut program = AROUND.to_owned();
    for (number, block) in blocks("rust").iter().enumerate() {
        program = with_block(&program, number, &block.place, &block.text);
    }
    host.write("src/main.rs", &program);
    let outcome = host.build(&[]);
    assert!(outcome.success, "{}\n{program}", outcome.stderr);
    // One that does not would be seen.
    let stale = "pools.ml.a_method_of_long_ago();";
    host.write("src/main.rs", &with_block(AROUND, 0, "stale", stale));
    assert!(host.build(&[]).failure().contains("a_method_of_long_ago"));
}

/// The program with one more block in it.
fn with_block(program: &str, number: usize, place: &str, text: &str) -> String {
    format!(
        "{program}\n// {place}\nmod block_{number} {{\n    use super::around::*;\n\n    \
         async fn block(pools: AppConfigPools, pixels: Vec<u8>) -> Result<(), Box<dyn std::error::Error>> {{\n{text}        \
         Ok(())\n    }}\n}}\n"
    )
}

/// Those that stand for environments of another machine are not built, but they are declarations.
#[test]
fn every_declaration_of_another_machine_can_be_read() {
    for block in blocks("rust,ignore") {
        let text = match block.text.contains("struct ") {
            true => block.text,
            false => format!("#[snakepit_pools]\nstruct Config {{\n{}}}\n", block.text),
        };
        let declarations = parse_file(&text);
        let declarations = declarations.unwrap_or_else(|error| panic!("{}: {error}", block.place));
        assert_eq!(declarations.len(), 1, "{}", block.place);
        assert!(!declarations[0].pools.is_empty(), "{}", block.place);
        assert!(declarations[0].mistakes.is_empty(), "{}", block.place);
    }
}

#[tokio::test]
async fn every_block_of_python_runs_in_a_worker() {
    let folder = tempfile::tempdir().unwrap();
    let path: &'static str = folder.path().to_str().unwrap().to_owned().leak();
    for (number, block) in blocks("python").iter().enumerate() {
        let module = format!("block_{number}");
        fs::write(folder.path().join(format!("{module}.py")), &block.text).unwrap();
        let spec: &'static SpawnSpec = Box::leak(Box::new(SpawnSpec {
            adapter: Some(module.leak()),
            python_path: Box::leak(Box::new([path])),
            ..copy(Pools::PLAIN)
        }));
        let pool = Pool::start(spec, &PoolConfig::default()).await;
        let pool = pool.unwrap_or_else(|error| panic!("{}: {error}", block.place));
        pool.shutdown().await;
    }
}

#[test]
fn every_block_of_toml_can_be_read() {
    for block in blocks("toml") {
        let read = block.text.parse::<toml::Table>();
        assert!(read.is_ok(), "{}: {read:?}", block.place);
    }
}

#[test]
fn every_link_leads_somewhere() {
    let mut all = pages();
    for more in [
        "ARCHITECTURE.md",
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "SECURITY.md",
        "examples/README.md",
        "fuzz/README.md",
    ] {
        all.push(workspace().join(more));
    }
    all.extend(examples().map(|folder| folder.join("README.md")));
    let mut broken = String::new();
    for page in &all {
        let text = fs::read_to_string(page).unwrap();
        for link in links(&text) {
            let (path, wanted) = link.split_once('#').unwrap_or((link, ""));
            let target = match path {
                "" => page.clone(),
                path => page.parent().unwrap().join(path),
            };
            let is_there = match wanted {
                "" => target.exists(),
                wanted => {
                    fs::read_to_string(&target).is_ok_and(|text| anchors(&text).contains(wanted))
                }
            };
            if !is_there {
                let _ = writeln!(broken, "{}: {link}", page.display());
            }
        }
    }
    assert!(broken.is_empty(), "{broken}");
}

#[test]
fn the_page_of_examples_leads_to_each_of_them() {
    let text = fs::read_to_string(workspace().join("examples/README.md")).unwrap();
    let named: Vec<&str> = links(&text).collect();
    for folder in examples() {
        let name = folder.file_name().unwrap().to_string_lossy();
        let page = format!("{name}/README.md");
        assert!(named.contains(&page.as_str()), "{page}");
    }
}

#[test]
fn the_book_has_each_of_its_pages_once_and_leads_nowhere_else() {
    let folder = workspace().join("docs/guide/src");
    let summary = fs::read_to_string(folder.join("SUMMARY.md")).unwrap();
    let mut named: Vec<&str> = links(&summary).collect();
    named.sort_unstable();
    let entries = fs::read_dir(&folder).unwrap().map(|entry| {
        let name = entry.unwrap().file_name();
        name.to_string_lossy().into_owned()
    });
    let mut there: Vec<String> = entries
        .filter(|name| name.ends_with(".md") && name != "SUMMARY.md")
        .collect();
    there.sort();
    assert_eq!(named, there);
    // What lies outside of it is not in a book that was built.
    for name in named {
        let text = fs::read_to_string(folder.join(name)).unwrap();
        let outside: Vec<&str> = links(&text).filter(|link| link.starts_with("..")).collect();
        assert!(outside.is_empty(), "{name}: {outside:?}");
    }
}

#[test]
fn a_block_without_an_end_and_a_link_to_nowhere_are_seen() {
    let text = "# A head, `here`\n```rust\nlet a = 1;\n```\n[a](#a-head-here) [b](none.md) [c](https://example.org)\n";
    let found = blocks_of(text, "page");
    assert_eq!((found.len(), found[0].text.as_str()), (1, "let a = 1;\n"));
    assert_eq!(links(text).collect::<Vec<_>>(), ["#a-head-here", "none.md"]);
    assert!(anchors(text).contains("a-head-here"));
    let cut = std::panic::catch_unwind(|| blocks_of("```rust\nlet", "page").len());
    assert!(cut.is_err());
}
