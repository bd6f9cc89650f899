//! Version specifiers: `>=2,<3`, `~=1.4`, `==2.1.*`. What is installed is there, also a pre-release: whether
//! it was wanted is the installer's question.
//! <https://packaging.python.org/en/latest/specifications/version-specifiers/#version-specifiers>

use std::fmt;
use std::str::FromStr;

use crate::ordered::{Ordered, Set};
use crate::version::Version;

/// Several specifiers, all of which a version has to meet; without one, every version will do.
#[derive(Debug, Clone)]
pub(crate) struct Specifiers(Vec<Specifier>);

/// One operator with its version.
#[derive(Debug, Clone)]
pub(crate) struct Specifier {
    text: String,
    operator: Operator,
    version: Version,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    /// Also in what equal versions may differ.
    Same,
    Equal,
    Prefix,
    NotEqual,
    NotPrefix,
    Compatible,
    AtMost,
    AtLeast,
    Below,
    Above,
}

/// The longer ones first.
const OPERATORS: [(&str, Operator); 8] = [
    ("===", Operator::Same),
    ("==", Operator::Equal),
    ("!=", Operator::NotEqual),
    ("~=", Operator::Compatible),
    ("<=", Operator::AtMost),
    (">=", Operator::AtLeast),
    ("<", Operator::Below),
    (">", Operator::Above),
];

impl Specifiers {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Each as it is written, without white space.
    pub(crate) fn texts(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|specifier| specifier.text.as_str())
    }

    /// The same for all that are written differently and mean the same.
    pub(crate) fn normalized(&self) -> Set<String> {
        self.0.iter().map(Specifier::normalized).ordered()
    }

    pub(crate) fn contains(&self, version: &Version) -> bool {
        self.0.iter().all(|specifier| specifier.contains(version))
    }
}

impl Specifier {
    fn normalized(&self) -> String {
        let (wanted, star) = match self.operator {
            Operator::Prefix => (Operator::Equal, ".*"),
            Operator::NotPrefix => (Operator::NotEqual, ".*"),
            operator => (operator, ""),
        };
        let sign = OPERATORS.iter().find(|(_, operator)| *operator == wanted);
        let sign = sign.map_or("", |(sign, _)| sign);
        format!("{sign}{}{star}", self.version)
    }

    pub(crate) fn contains(&self, version: &Version) -> bool {
        let wanted = &self.version;
        let is_of_its_release =
            || version.epoch == wanted.epoch && version.significant() == wanted.significant();
        match self.operator {
            Operator::Same => version.is_written_as(wanted),
            Operator::Equal => equal(version, wanted),
            Operator::NotEqual => !equal(version, wanted),
            Operator::Prefix => begins(version, wanted, wanted.release.len()),
            Operator::NotPrefix => !begins(version, wanted, wanted.release.len()),
            Operator::Compatible => {
                version.public() >= *wanted && begins(version, wanted, wanted.release.len() - 1)
            }
            Operator::AtMost => version.public() <= *wanted,
            Operator::AtLeast => version.public() >= *wanted,
            // `<2` does not mean `2rc1`, nor `>2` `2.post1`, unless it is written as one itself.
            Operator::Below => {
                version < wanted
                    && (wanted.is_pre_release()
                        || !version.is_pre_release()
                        || !is_of_its_release())
            }
            Operator::Above => {
                version > wanted
                    && (wanted.post.is_some() || version.post.is_none() || !is_of_its_release())
                    && (version.local.is_empty() || !is_of_its_release())
            }
        }
    }
}

/// A local part counts only where the specifier has one.
fn equal(version: &Version, wanted: &Version) -> bool {
    match wanted.local.is_empty() {
        true => version.public() == *wanted,
        false => version == wanted,
    }
}

/// Whether the first numbers of both are the same; those that are not written are zeros.
fn begins(version: &Version, wanted: &Version, count: usize) -> bool {
    let numbers = version.release.iter().chain(std::iter::repeat(&0));
    version.epoch == wanted.epoch && numbers.take(count).eq(wanted.release.iter().take(count))
}

impl FromStr for Specifiers {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.trim().is_empty() {
            return Ok(Self(Vec::new()));
        }
        text.split(',')
            .map(str::parse)
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

impl FromStr for Specifier {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text.is_empty() {
            return Err("there is nothing beside a comma".to_owned());
        }
        let Some((sign, operator)) = OPERATORS.iter().find(|(sign, _)| text.starts_with(sign))
        else {
            let signs = OPERATORS.map(|(sign, _)| sign).join(" ");
            return Err(format!("`{text}` does not begin with one of {signs}"));
        };
        let written = text[sign.len()..].trim();
        let (number, operator) = match (written.strip_suffix(".*"), operator) {
            (Some(number), Operator::Equal) => (number, Operator::Prefix),
            (Some(number), Operator::NotEqual) => (number, Operator::NotPrefix),
            (Some(_), _) => return Err(format!("`.*` does not go with `{sign}`: `{text}`")),
            (None, operator) => (written, *operator),
        };
        if number.is_empty() {
            return Err(format!("there is no version behind `{sign}`"));
        }
        let version: Version = number.parse()?;
        let is_release = version.pre.is_none()
            && version.post.is_none()
            && version.dev.is_none()
            && version.local.is_empty();
        match operator {
            Operator::Prefix | Operator::NotPrefix if !is_release => {
                Err(format!("`.*` goes behind numbers alone: `{text}`"))
            }
            Operator::Compatible if version.release.len() < 2 => Err(format!(
                "`~=` wants two numbers at least, as in `~=1.4`: `{text}`"
            )),
            Operator::Same | Operator::Equal | Operator::NotEqual => Ok(()),
            _ if !version.local.is_empty() => Err(format!(
                "a local version, with `+`, does not go with `{sign}`: `{text}`"
            )),
            _ => Ok(()),
        }?;
        Ok(Self {
            text: format!("{sign}{written}"),
            operator,
            version,
        })
    }
}

impl fmt::Display for Specifiers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let texts: Vec<&str> = self.texts().collect();
        f.write_str(&texts.join(", "))
    }
}
