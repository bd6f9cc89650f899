//! `explain CODE`: the catalogue's page for a diagnostic.

use clap_cargo::style::{HEADER, LITERAL};
use snakepit_build::Code;
use snakepit_build::declare::{hint, nearest};

use crate::args::Explain;
use crate::failure::Failure;
use crate::output::Output;

/// The whole page of errors, with an example for each code.
const PAGE: &str = include_str!("../errors.md");

pub(crate) fn run(explain: &Explain, output: &mut Output) -> Result<bool, Failure> {
    let Some(wanted) = &explain.code else {
        let lengths = Code::ALL.iter().map(|code| code.as_str().len());
        let width = lengths.max().unwrap_or_default();
        for code in Code::ALL {
            output.line(format!(
                "{LITERAL}{:<width$}{LITERAL:#}  {}",
                code.as_str(),
                code.title()
            ));
        }
        return Ok(true);
    };
    let name = wanted.trim_matches(['[', ']']);
    let name = name.strip_prefix("snakepit::").unwrap_or(name);
    let Some(code) = Code::ALL.iter().find(|code| code.as_str() == name) else {
        let near = nearest(name, Code::ALL.iter().map(|code| code.as_str()));
        let near = hint(near);
        return Err(Failure::usage(format!(
            "no code `{name}`: {near}`cargo snakepit explain` lists all"
        )));
    };
    let what = if code.is_warning() {
        "warning"
    } else {
        "error"
    };
    output.line(format!("{HEADER}{code}{HEADER:#} ({what})"));
    output.line("");
    output.line(section(*code).trim());
    Ok(true)
}

/// What the page says of a code, without its title.
fn section(code: Code) -> &'static str {
    let title = format!("\n## `{code}`\n");
    let (_, rest) = PAGE
        .split_once(title.as_str())
        .expect("a test keeps the page up to date");
    rest.split("\n## ").next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_its_section_with_an_example() {
        for code in Code::ALL {
            let section = section(*code);
            assert!(
                section.contains(code.when()) && section.contains(code.mend()),
                "{code}"
            );
            assert!(
                section.contains("```text\n") && section.contains(&format!("[snakepit::{code}]"))
            );
        }
    }
}
