//! A requirement, as PEP 508 writes it: a name with extras, versions or an address, and a marker.
//! <https://packaging.python.org/en/latest/specifications/dependency-specifiers/>

use std::str::FromStr;

use crate::catalogue::Code;
use crate::diagnostic::Diagnostic;
use crate::marker::{self, Marker, Unread};
use crate::specifier::Specifiers;
use crate::version::Version;

/// One requirement, read.
#[derive(Debug, Clone)]
pub(crate) struct Requirement {
    /// All of it but the marker, as it is written: what an installer is given.
    pub(crate) text: String,
    /// The distribution's name, as it is written.
    pub(crate) name: String,
    /// The extras, normalized.
    pub(crate) extras: Vec<String>,
    pub(crate) source: Source,
    pub(crate) marker: Option<Marker>,
}

/// Which distributions of the name will do.
#[derive(Debug, Clone)]
pub(crate) enum Source {
    Versions(Specifiers),
    Url(String),
}

impl Requirement {
    /// # Errors
    /// `requirement_invalid`, or `requirement_marker_unknown` for a variable that no interpreter has.
    pub(crate) fn parse(text: &str) -> Result<Self, Diagnostic> {
        let text = text.trim();
        let invalid = |why: String| {
            let message = format!("`{text}` is not a requirement: {why}");
            let help = if let Some(upright) = upright(text) {
                format!("did you mean `{upright}`?")
            } else if text.contains("://") && !text.contains('@') {
                format!("write `name @ {text}` with the name of the distribution")
            } else {
                "write one like `numpy>=2`".to_owned()
            };
            Diagnostic::new(Code::RequirementInvalid, message, help)
        };
        let (name, rest) = split_name(text).map_err(invalid)?;
        let (extras, rest) = split_extras(rest).map_err(invalid)?;
        let (source, marker) = match rest.strip_prefix('@') {
            Some(rest) => {
                // An address may hold a semicolon: only white space ends it.
                let rest = rest.trim_start();
                let (url, rest) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
                if url.is_empty() {
                    return Err(invalid("no address follows `@`".to_owned()));
                }
                let marker = match rest.trim_start() {
                    "" => None,
                    rest => Some(rest.strip_prefix(';').ok_or_else(|| {
                        invalid(format!("`{rest}` is left over behind the address"))
                    })?),
                };
                (Source::Url(url.to_owned()), marker)
            }
            None => {
                let (versions, marker) = match rest.split_once(';') {
                    Some((versions, marker)) => (versions, Some(marker)),
                    None => (rest, None),
                };
                let versions = specifiers(versions.trim()).map_err(invalid)?;
                (Source::Versions(versions), marker)
            }
        };
        // Each part is a slice of the text, and the marker its end.
        let unmarked = match marker {
            Some(marker) => text[..text.len() - marker.len()].trim_end_matches(';'),
            None => text,
        };
        let marker = marker
            .map(|marker| Marker::parse(marker).map_err(|unread| unreadable(text, unread)))
            .transpose()?;
        Ok(Self {
            text: unmarked.trim().to_owned(),
            name: name.to_owned(),
            extras,
            source,
            marker,
        })
    }

    /// Whether a version will do; where an address is wanted, every one does.
    pub(crate) fn allows(&self, version: &str) -> bool {
        match &self.source {
            Source::Url(_) => true,
            Source::Versions(wanted) => {
                // A version that is none can only be meant by a requirement for any.
                wanted.is_empty()
                    || Version::from_str(version).is_ok_and(|version| wanted.contains(&version))
            }
        }
    }
}

/// The same with `>=` and `<=` for `=>` and `=<`, if it has one of these.
pub(crate) fn upright(text: &str) -> Option<String> {
    let upright = text.replace("=>", ">=").replace("=<", "<=");
    (upright != text).then_some(upright)
}

fn unreadable(text: &str, unread: Unread) -> Diagnostic {
    match unread {
        Unread::Malformed(why) => Diagnostic::new(
            Code::RequirementInvalid,
            format!("the marker of `{text}` cannot be read: {why}"),
            "write one like `numpy>=2; python_version >= '3.9'`",
        ),
        Unread::Unknown(variable) => Diagnostic::new(
            Code::RequirementMarkerUnknown,
            format!("the marker of `{text}` names `{variable}`, which no interpreter has"),
            format!("markers have {}", marker::names().join(", ")),
        ),
    }
}

fn split_name(text: &str) -> Result<(&str, &str), String> {
    let end = text
        .find(|c: char| !(c.is_ascii_alphanumeric() || "-_.".contains(c)))
        .unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    let is_sound = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    match is_sound(name.chars().next()) && is_sound(name.chars().next_back()) {
        true => Ok((name, rest.trim_start())),
        false if name.is_empty() => Err("it does not begin with a name".to_owned()),
        false => Err(format!("`{name}` is no name of a distribution")),
    }
}

fn split_extras(text: &str) -> Result<(Vec<String>, &str), String> {
    let Some(text) = text.strip_prefix('[') else {
        return Ok((Vec::new(), text));
    };
    let (inside, rest) = text
        .split_once(']')
        .ok_or_else(|| "`]` is missing".to_owned())?;
    let mut extras = Vec::new();
    for extra in inside.split(',').map(str::trim) {
        match split_name(extra) {
            Ok((name, "")) => extras.push(normalized(name)),
            // `name[]` is allowed.
            _ if inside.trim().is_empty() => {}
            _ => return Err(format!("`{extra}` is no name of an extra")),
        }
    }
    Ok((extras, rest.trim_start()))
}

fn specifiers(text: &str) -> Result<Specifiers, String> {
    let inside = match text.strip_prefix('(') {
        Some(rest) => rest
            .strip_suffix(')')
            .ok_or_else(|| "`)` is missing".to_owned())?,
        None => text,
    };
    inside.parse()
}

/// A distribution's name, or an extra's, as PEP 503 compares it.
pub(crate) fn normalized(name: &str) -> String {
    let parts: Vec<&str> = name
        .split(['-', '_', '.'])
        .filter(|part| !part.is_empty())
        .collect();
    parts.join("-").to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_told_how_they_are_meant() {
        for (text, help) in [
            ("pip=>20", "did you mean `pip>=20`?"),
            ("pip=<20", "did you mean `pip<=20`?"),
            ("git+https://x/y", "write `name @ git+https://x/y`"),
        ] {
            let fault = Requirement::parse(text).unwrap_err();
            assert!(fault.help().starts_with(help), "{fault:?}");
        }
    }

    #[test]
    fn every_part_is_read_and_the_marker_is_kept_from_the_installer() {
        let full = "Foo.Bar [Fast_IO, slow] >=1.2,<3 ; python_version >= '3.8'";
        let read = Requirement::parse(full).unwrap();
        assert_eq!(read.name, "Foo.Bar");
        assert_eq!(read.extras, ["fast-io", "slow"]);
        assert_eq!(read.text, "Foo.Bar [Fast_IO, slow] >=1.2,<3");
        assert!(read.marker.is_some());
        assert!(read.allows("2.5") && !read.allows("3.1") && !read.allows("unknown"));

        let read = Requirement::parse("foo (>=1)").unwrap();
        assert!(!read.allows("1.0rc1") && read.allows("1.1rc1") && read.allows("1.0+local"));
        let read = Requirement::parse("\u{3000}foo ; os_name == 'é'\u{3000}\u{3000} ").unwrap();
        assert_eq!(read.text, "foo");
        let read = Requirement::parse("foo[]").unwrap();
        assert!(read.extras.is_empty() && read.allows("unknown"));
    }

    #[test]
    fn an_address_ends_at_white_space_and_not_at_a_semicolon() {
        let read = Requirement::parse("foo @ https://host/a;b ; os_name == 'posix'").unwrap();
        assert!(matches!(&read.source, Source::Url(url) if url == "https://host/a;b"));
        assert_eq!(read.text, "foo @ https://host/a;b");
        let read = Requirement::parse("foo@https://host/a;b").unwrap();
        assert!(read.marker.is_none());
    }

    #[test]
    fn what_is_no_requirement_is_refused_with_the_part_that_is_wrong() {
        for (text, why) in [
            ("", "does not begin with a name"),
            (">=2", "does not begin with a name"),
            ("foo-", "`foo-` is no name"),
            ("foo[", "`]` is missing"),
            ("foo[a b]", "`a b` is no name of an extra"),
            ("foo[a,]", "is no name of an extra"),
            ("foo (>=1", "`)` is missing"),
            ("foo bar", "is not a requirement"),
            ("foo @", "no address"),
            ("foo @ https://host extra", "`extra` is left over"),
            ("foo; python_version", "the marker of"),
        ] {
            let fault = Requirement::parse(text).unwrap_err();
            assert_eq!(fault.code(), "requirement_invalid", "{text}");
            assert!(fault.message().contains(why), "{fault:?}");
        }
        let fault = Requirement::parse("foo; python == '3'").unwrap_err();
        assert_eq!(fault.code(), "requirement_marker_unknown");
        assert!(fault.help().contains("python_version"), "{fault:?}");
    }
}
