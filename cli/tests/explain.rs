//! `cargo snakepit explain`, completions and the man page.
#![allow(
    missing_docs,
    reason = "a test program has no readers of its documentation"
)]

mod support;

use snakepit_build::Code;
use support::Package;

#[test]
fn a_code_is_explained_as_messages_show_it_and_an_unknown_one_has_a_near_one() {
    let package = Package::with_pools("");
    let wanted = package.run(&["explain", "venv_not_found"]);
    assert_eq!(wanted.status, Some(0));
    assert!(
        wanted.stdout.contains(Code::VenvNotFound.when()),
        "{wanted:?}"
    );
    assert!(
        wanted.stdout.contains("help: run `python3 -m venv"),
        "{wanted:?}"
    );
    for written in ["snakepit::venv_not_found", "[snakepit::venv_not_found]"] {
        assert_eq!(package.run(&["explain", written]).stdout, wanted.stdout);
    }
    let unknown = package.run(&["explain", "venv_not_fond"]);
    assert_eq!(unknown.status, Some(2));
    assert!(
        unknown.stderr.contains("did you mean `venv_not_found`?"),
        "{unknown:?}"
    );
    let all = package.run(&["explain"]).stdout;
    assert!(
        Code::ALL.iter().all(|code| all.contains(code.as_str())),
        "{all}"
    );
}

#[test]
fn completions_and_the_man_page_know_every_task_and_option() {
    let package = Package::with_pools("");
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let text = package.run(&["completions", shell]).stdout;
        assert!(
            text.contains("offer-fix") && text.contains("doctor"),
            "{shell}: {text}"
        );
    }
    let page = package.run(&["man"]).stdout;
    for wanted in [
        ".TH cargo-snakepit",
        "offer\\-fix",
        "dry\\-run",
        "thorough",
        "CARGO SNAKEPIT RUN",
    ] {
        assert!(page.contains(wanted), "`{wanted}` is not in\n{page}");
    }
}
