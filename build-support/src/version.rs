//! Versions of distributions and interpreters: how they are written, and their order.
//! <https://packaging.python.org/en/latest/specifications/version-specifiers/>
//!
//! Written here since the crates for it bring serde's derive, which every user's first build would wait for.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

/// One version. Two of one value are equal: `1.0` is `1`, and `1.0-RC.1` is `1rc1`.
#[derive(Debug, Clone)]
pub(crate) struct Version {
    pub(crate) epoch: u64,
    /// At least one number, as they are written.
    pub(crate) release: Vec<u64>,
    pub(crate) pre: Option<(Phase, u64)>,
    pub(crate) post: Option<u64>,
    pub(crate) dev: Option<u64>,
    pub(crate) local: Vec<Segment>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Phase {
    Alpha,
    Beta,
    Candidate,
}

/// One part of `+ubuntu.1`; numbers come after words.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Segment {
    Word(String),
    Number(u64),
}

impl Version {
    /// Whether it comes before the release that it names.
    pub(crate) fn is_pre_release(&self) -> bool {
        self.pre.is_some() || self.dev.is_some()
    }

    /// The numbers without the zeros that add nothing.
    pub(crate) fn significant(&self) -> &[u64] {
        let zeros = self.release.iter().rev().take_while(|part| **part == 0);
        &self.release[..self.release.len() - zeros.count()]
    }

    /// Whether both are the same also in what equal versions may differ: `1.0` and `1` are not.
    pub(crate) fn is_written_as(&self, other: &Self) -> bool {
        self.release == other.release && self == other
    }

    /// The release that it names or leads to. Of Python `3.13.0rc1`, what asks for `>=3.13` is met.
    pub(crate) fn without_phase(&self) -> Self {
        Self {
            pre: None,
            post: None,
            dev: None,
            local: Vec::new(),
            ..self.clone()
        }
    }

    /// Without `+...`.
    pub(crate) fn public(&self) -> Self {
        Self {
            local: Vec::new(),
            ..self.clone()
        }
    }

    /// What the order goes by, part for part.
    fn key(&self) -> impl Ord + use<'_> {
        let none = (Phase::Alpha, 0);
        let pre = match self.pre {
            Some(pre) => (1, pre),
            // `1.0.dev1` comes before `1.0a1`.
            None if self.post.is_none() && self.dev.is_some() => (0, none),
            None => (2, none),
        };
        let dev = (self.dev.is_none(), self.dev);
        (
            self.epoch,
            self.significant(),
            pre,
            self.post,
            dev,
            &self.local,
        )
    }
}

impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Version {}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key().cmp(&other.key())
    }
}

impl FromStr for Version {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let lower = text.trim().to_ascii_lowercase();
        let mut reader = Reader { rest: &lower };
        match reader.version() {
            Some(version) if reader.rest.is_empty() => Ok(version),
            _ => Err(format!("`{}` is no version", text.trim())),
        }
    }
}

/// As it is written where nothing else is agreed on: `1.0-RC.1` is `1.0rc1`.
impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.epoch > 0 {
            write!(f, "{}!", self.epoch)?;
        }
        let mut release = self.release.iter();
        release
            .next()
            .map_or(Ok(()), |first| write!(f, "{first}"))?;
        release.try_for_each(|number| write!(f, ".{number}"))?;
        if let Some((phase, number)) = self.pre {
            let phase = match phase {
                Phase::Alpha => "a",
                Phase::Beta => "b",
                Phase::Candidate => "rc",
            };
            write!(f, "{phase}{number}")?;
        }
        for (label, number) in [("post", self.post), ("dev", self.dev)] {
            number.map_or(Ok(()), |number| write!(f, ".{label}{number}"))?;
        }
        for (index, segment) in self.local.iter().enumerate() {
            f.write_str(if index == 0 { "+" } else { "." })?;
            match segment {
                Segment::Word(word) => f.write_str(word)?,
                Segment::Number(number) => write!(f, "{number}")?,
            }
        }
        Ok(())
    }
}

/// Reads from the front of a text in lower case.
struct Reader<'a> {
    rest: &'a str,
}

impl Reader<'_> {
    /// Nothing where no number begins the version, or where one is too large.
    fn version(&mut self) -> Option<Version> {
        self.takes("v");
        let mut first = self.number()??;
        let mut epoch = 0;
        if self.takes("!") {
            epoch = first;
            first = self.number()??;
        }
        let mut release = vec![first];
        while self.rest.starts_with('.') && self.rest[1..].starts_with(|c: char| c.is_ascii_digit())
        {
            self.rest = &self.rest[1..];
            release.push(self.number()??);
        }
        let pre = self.labelled(&[
            ("alpha", Phase::Alpha),
            ("a", Phase::Alpha),
            ("beta", Phase::Beta),
            ("b", Phase::Beta),
            ("preview", Phase::Candidate),
            ("pre", Phase::Candidate),
            ("c", Phase::Candidate),
            ("rc", Phase::Candidate),
        ])?;
        let bare = self.rest.strip_prefix('-');
        let post = match bare {
            Some(rest) if rest.starts_with(|c: char| c.is_ascii_digit()) => {
                self.rest = rest;
                self.number()?
            }
            _ => {
                let post = self.labelled(&[("post", ()), ("rev", ()), ("r", ())])?;
                post.map(|((), number)| number)
            }
        };
        let dev = self.labelled(&[("dev", ())])?.map(|((), number)| number);
        let mut local = Vec::new();
        if self.takes("+") {
            loop {
                local.push(self.segment()?);
                if !self.separator() {
                    break;
                }
            }
        }
        Some(Version {
            epoch,
            release,
            pre,
            post,
            dev,
            local,
        })
    }

    fn takes(&mut self, word: &str) -> bool {
        let rest = self.rest.strip_prefix(word);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn separator(&mut self) -> bool {
        let rest = self.rest.strip_prefix(['.', '-', '_']);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    /// The number that comes next, if one does; nothing at all where it is too large.
    fn number(&mut self) -> Option<Option<u64>> {
        let digits = self.rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, rest) = self.rest.split_at(digits);
        self.rest = rest;
        match number {
            "" => Some(None),
            number => number.parse().ok().map(Some),
        }
    }

    /// One of the labels with its number, which is 0 where none is written.
    fn labelled<T: Copy>(&mut self, labels: &[(&str, T)]) -> Option<Option<(T, u64)>> {
        let before = self.rest;
        self.separator();
        let Some((_, what)) = labels.iter().find(|(label, _)| self.takes(label)) else {
            self.rest = before;
            return Some(None);
        };
        self.separator();
        Some(Some((*what, self.number()?.unwrap_or(0))))
    }

    fn segment(&mut self) -> Option<Segment> {
        let end = self
            .rest
            .bytes()
            .take_while(u8::is_ascii_alphanumeric)
            .count();
        let (segment, rest) = self.rest.split_at(end);
        self.rest = rest;
        if segment.is_empty() {
            None
        } else if segment.bytes().all(|byte| byte.is_ascii_digit()) {
            segment.parse().ok().map(Segment::Number)
        } else {
            Some(Segment::Word(segment.to_owned()))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;
    use crate::specifier::Specifiers;

    const VERSIONS: &[&str] = &[
        "0",
        "1",
        "1.0",
        "1.0.0",
        "v1.1",
        "1.0a",
        "1.0.alpha-1",
        "1.0a.dev1",
        "1.0b2",
        "1.0-BETA_2",
        "1.0c",
        "1.0rc1",
        "1.0pre1",
        "1.0preview",
        "1.0.post",
        "1.0-1",
        "1.0.post1",
        "1.0r1",
        "1.0rev2",
        "1.0.post1.dev3",
        "1.0a1.post2",
        "1.0rc1.post2.dev3",
        "1.0.dev0",
        "1.0dev1",
        "1.0+local",
        "1.0+1",
        "1.0+10",
        "1.0+1.a",
        "1.0+ubuntu-1_x",
        "1.0.post1+x",
        "1.1.dev1",
        "1.1rc1",
        "1.2",
        "1.10",
        "2.0",
        "2.0.0.1",
        "2.1",
        "2.1.5",
        "2.2rc1",
        "2!1.0",
        "0!1",
        "1!0",
        "2024.1.1",
        "1.0.0.0.1",
        "  1.4.5 ",
        "1.4.dev1",
        "1.4.post1",
        "1.5",
        "1.0a.",
        "1.0a.-1",
        "1.0a--1",
        // These are none.
        "",
        "1.",
        ".1",
        "1..0",
        "1.0x",
        "1.0-",
        "1.0+",
        "1.0+a..b",
        "1.0+a!",
        "1.0.*",
        "a",
        "1.0 2",
        "v",
        "1!",
        "!1",
        "1.0post1a1",
        "1.0dev1a1",
        "\u{e9}",
        "1.0\u{e9}",
        "--1",
    ];

    const SIGNS: &[&str] = &["==", "!=", "~=", "<=", ">=", "<", ">"];

    /// What `packaging` says of Python's standard input, a list of texts.
    fn packaging(expression: &str, texts: &[String]) -> Vec<bool> {
        let folder = tempfile::tempdir().unwrap();
        let asked = folder.path().join("asked.json");
        std::fs::write(&asked, serde_json::to_string(texts).unwrap()).unwrap();
        let python = &snakepit_test_tools::python().path;
        snakepit_test_tools::succeeds(python, &["-m", "venv", "venv"], folder.path());
        let script = format!(
            "import json, sys
from pip._vendor.packaging.version import Version
from pip._vendor.packaging.specifiers import Specifier, SpecifierSet
def holds(text):
    try:
        return {expression}
    except ValueError:
        return False
print(json.dumps([holds(text) for text in json.load(open(sys.argv[1]))]))"
        );
        let answer = Command::new(folder.path().join("venv/bin/python3"))
            .args(["-c", &script])
            .arg(&asked)
            .output()
            .unwrap();
        assert!(answer.status.success(), "{answer:?}");
        serde_json::from_slice(&answer.stdout).unwrap()
    }

    #[track_caller]
    fn agree(expression: &str, texts: &[String], ours: impl Fn(&str) -> bool) {
        let theirs = packaging(expression, texts);
        assert!(theirs.contains(&true) && theirs.contains(&false));
        for (text, theirs) in texts.iter().zip(theirs) {
            assert_eq!(ours(text), theirs, "{text:?}");
        }
    }

    fn pairs(join: impl Fn(&str, &str) -> Vec<String>) -> Vec<String> {
        let all = VERSIONS.iter();
        all.flat_map(|left| {
            VERSIONS
                .iter()
                .flat_map(|right| join(left, right))
                .collect::<Vec<_>>()
        })
        .collect()
    }

    #[test]
    fn versions_are_read_and_ordered_as_packaging_does() {
        let texts = pairs(|left, right| vec![format!("{left}|{right}"), format!("{left}|{left}")]);
        for (operator, wanted) in [("<", Ordering::Less), ("==", Ordering::Equal)] {
            let expression = format!(
                "(lambda left, right: Version(left) {operator} Version(right))(*text.split('|'))"
            );
            agree(&expression, &texts, |text| {
                let (left, right) = text.split_once('|').unwrap();
                let versions = Version::from_str(left).and_then(|left| Ok((left, right.parse()?)));
                versions.is_ok_and(|(left, right)| left.cmp(&right) == wanted)
            });
        }
    }

    #[test]
    fn specifiers_hold_where_packaging_says_so() {
        let mut texts = pairs(|left, right| {
            SIGNS
                .iter()
                .map(|sign| format!("{left}|{sign}{right}"))
                .collect()
        });
        // An older pip takes `1.0a.*` as well, and goes by letters: to it `1` is not of `0!1.*`, nor `1a1` of `1.0.*`.
        let numbers = |text: &str| {
            text.split('.')
                .take_while(|part| part.parse::<u64>().is_ok())
                .count()
        };
        let is_release = |text: &str| numbers(text) == text.split('.').count();
        texts.extend(pairs(|left, right| {
            let is_told =
                is_release(right) && (is_release(left) || numbers(right) <= numbers(left));
            let signs = ["==", "!=", ">=", "~="].iter().filter(|_| is_told);
            signs
                .map(|sign| format!("{left}|{sign} {right}.*"))
                .collect()
        }));
        texts.extend(pairs(|left, right| {
            vec![
                format!("{left}|>={right}, <2"),
                format!("{left}|!=1.0,=={right}"),
            ]
        }));
        // An older pip takes what is no specifier for one of an older kind, and goes by the letters of `~=1.0.alpha1`.
        let expression = "(lambda version, wanted: all(isinstance(one, Specifier) for one in SpecifierSet(wanted)) and
            SpecifierSet('~=%s' % Version(wanted[2:]) if wanted[:2] == '~=' else wanted)
            .contains(Version(version), prereleases=True))(*text.split('|'))";
        agree(expression, &texts, |text| {
            let (version, wanted) = text.split_once('|').unwrap();
            let wanted = Specifiers::from_str(wanted);
            wanted.is_ok_and(|wanted| {
                Version::from_str(version).is_ok_and(|version| wanted.contains(&version))
            })
        });
    }

    #[test]
    fn a_version_is_shown_as_packaging_normalizes_it() {
        let shown = |text: &str| Version::from_str(text).map(|version| version.to_string());
        let written = VERSIONS.iter().filter(|text| shown(text).is_ok());
        let pairs = written.flat_map(|text| {
            let shown = shown(text).unwrap();
            [format!("{text}|{text}"), format!("{text}|{shown}")]
        });
        let pairs: Vec<String> = pairs.collect();
        let split = |text: &str| {
            text.split_once('|')
                .map(|(a, b)| (a.to_owned(), b.to_owned()))
        };
        agree(
            "str(Version(text.split('|')[0])) == text.split('|')[1]",
            &pairs,
            |pair| split(pair).is_some_and(|(text, other)| shown(&text) == Ok(other)),
        );
    }

    #[test]
    fn a_number_that_is_too_large_is_no_version() {
        for text in [
            "18446744073709551616",
            "1.0a18446744073709551616",
            "1+18446744073709551616",
        ] {
            assert!(Version::from_str(text).is_err(), "{text}");
        }
        assert!(Version::from_str("18446744073709551615").is_ok());
    }

    #[test]
    fn the_same_as_it_is_written_is_more_than_equal() {
        let holds = |wanted: &str| {
            let wanted = Specifiers::from_str(wanted).unwrap();
            wanted.contains(&"1.0".parse().unwrap())
        };
        assert!(holds("===1.0") && !holds("===1") && !holds("===1.0+x"));
        assert!(holds("==1") && !holds("==1.0+x"));
    }

    #[test]
    fn a_prefix_is_one_of_numbers_and_has_an_epoch_as_well() {
        let holds = |wanted: &str, version: &str| {
            let wanted = Specifiers::from_str(wanted).unwrap();
            wanted.contains(&version.parse().unwrap())
        };
        assert!(
            holds("==0!1.*", "1.2") && holds("==v2!1.*", "2!1.0.post1+x") && !holds("==1.*", "2!1")
        );
        assert!(Specifiers::from_str("==1.0a1.*").is_err());
    }
}
