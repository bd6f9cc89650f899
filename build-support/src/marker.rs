//! Environment markers: the part of a requirement behind `;`, and of a lock file, that says for which interpreters
//! it counts. <https://packaging.python.org/en/latest/specifications/dependency-specifiers/#environment-markers>
//!
//! Read here and not by `pep508_rs`: with it, a program whose only dependency is this crate builds 75 crates instead
//! of 29 (`url` and `regex` with all that is below them), and a cold build takes 1.8 times the processor's time.

use std::collections::BTreeMap;
use std::str::FromStr;

use crate::requirement::normalized;
use crate::specifier::Specifier;
use crate::version::Version;

/// What an interpreter says of the variables, by name.
pub(crate) type Variables = BTreeMap<String, String>;

/// Every variable, its older spelling, and whether its values are compared as versions.
const VARIABLES: &[(&str, &str, bool)] = &[
    ("extra", "", false),
    ("implementation_name", "", false),
    ("implementation_version", "", true),
    ("os_name", "os.name", false),
    ("platform_machine", "platform.machine", false),
    (
        "platform_python_implementation",
        "platform.python_implementation",
        false,
    ),
    (
        "platform_python_implementation",
        "python_implementation",
        false,
    ),
    ("platform_release", "", true),
    ("platform_system", "", false),
    ("platform_version", "platform.version", false),
    ("python_full_version", "", true),
    ("python_version", "", true),
    ("sys_platform", "sys.platform", false),
];

/// The longest first: `<=` is not `<`.
const OPERATORS: &[&str] = &["===", "==", "~=", "!=", "<=", ">=", "<", ">"];

/// How deep parentheses may go: a text must not decide how much stack it takes.
const DEEPEST: usize = 64;

/// A marker, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Marker {
    Any(Vec<Marker>),
    All(Vec<Marker>),
    Comparison {
        left: Side,
        operator: String,
        right: Side,
        as_versions: bool,
    },
}

/// One side of a comparison.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Side {
    Variable(&'static str),
    Text(String),
}

/// Why a text is no marker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unread {
    /// It names this variable, which no interpreter has.
    Unknown(String),
    /// It is not written as a marker is.
    Malformed(String),
}

impl Marker {
    /// Reads what stands behind `;`.
    pub(crate) fn parse(text: &str) -> Result<Self, Unread> {
        let mut reader = Reader { rest: text };
        let marker = reader.any(0)?;
        match reader.rest.trim() {
            "" => Ok(marker),
            rest => Err(Unread::Malformed(format!(
                "`{rest}` is left over behind the marker"
            ))),
        }
    }

    /// Whether it holds for an interpreter, and for one extra where one is asked for.
    pub(crate) fn holds(&self, variables: &Variables, extra: Option<&str>) -> bool {
        match self {
            Self::Any(markers) => markers.iter().any(|marker| marker.holds(variables, extra)),
            Self::All(markers) => markers.iter().all(|marker| marker.holds(variables, extra)),
            Self::Comparison {
                left,
                operator,
                right,
                as_versions,
            } => {
                let is_extra = |side: &Side| *side == Side::Variable("extra");
                let [mut left_text, mut right_text] =
                    [left, right].map(|side| side.value(variables, extra));
                if is_extra(left) || is_extra(right) {
                    left_text = normalized(&left_text);
                    right_text = normalized(&right_text);
                }
                compare(&left_text, operator, &right_text, *as_versions)
            }
        }
    }

    /// The extras that it names, normalized: it holds for no other one, unless without any. `None` where it compares
    /// `extra` in another way than by `==` with a text, so that any may count.
    pub(crate) fn extras(&self) -> Option<Vec<String>> {
        match self {
            Self::Any(markers) | Self::All(markers) => {
                let extras: Option<Vec<_>> = markers.iter().map(Self::extras).collect();
                Some(extras?.concat())
            }
            Self::Comparison {
                left,
                operator,
                right,
                ..
            } => match (left, operator.as_str(), right) {
                (Side::Variable("extra"), "==", Side::Text(text))
                | (Side::Text(text), "==", Side::Variable("extra")) => Some(vec![normalized(text)]),
                (Side::Variable("extra"), ..) | (.., Side::Variable("extra")) => None,
                _ => Some(Vec::new()),
            },
        }
    }
}

impl Side {
    fn value(&self, variables: &Variables, extra: Option<&str>) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Variable("extra") => extra.unwrap_or_default().to_owned(),
            Self::Variable(name) => variables.get(*name).cloned().unwrap_or_default(),
        }
    }
}

/// As versions where both sides are such, else as texts, which have no order.
fn compare(left: &str, operator: &str, right: &str, as_versions: bool) -> bool {
    if as_versions
        && let Ok(version) = Version::from_str(left)
        && let Ok(specifier) = Specifier::from_str(&format!("{operator}{right}"))
    {
        return specifier.contains(&version);
    }
    match operator {
        "==" | "===" | "<=" | ">=" => left == right,
        "!=" => left != right,
        "in" => right.contains(left),
        "not in" => !right.contains(left),
        _ => false,
    }
}

/// Reads from the front of a text.
struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    fn any(&mut self, depth: usize) -> Result<Marker, Unread> {
        let mut markers = vec![self.all(depth)?];
        while self.takes_word("or") {
            markers.push(self.all(depth)?);
        }
        Ok(single_or(markers, Marker::Any))
    }

    fn all(&mut self, depth: usize) -> Result<Marker, Unread> {
        let mut markers = vec![self.one(depth)?];
        while self.takes_word("and") {
            markers.push(self.one(depth)?);
        }
        Ok(single_or(markers, Marker::All))
    }

    fn one(&mut self, depth: usize) -> Result<Marker, Unread> {
        if !self.takes("(") {
            return self.comparison();
        }
        if depth == DEEPEST {
            return Err(Unread::Malformed(format!(
                "its parentheses are more than {DEEPEST} deep"
            )));
        }
        let marker = self.any(depth + 1)?;
        match self.takes(")") {
            true => Ok(marker),
            false => Err(Unread::Malformed("`)` is missing".to_owned())),
        }
    }

    fn comparison(&mut self) -> Result<Marker, Unread> {
        let (left, left_versions) = self.side()?;
        let operator = self.operator()?;
        let (right, right_versions) = self.side()?;
        if let (Side::Text(left), Side::Text(right)) = (&left, &right) {
            let message = format!("it compares two texts, `{left}` and `{right}`");
            return Err(Unread::Malformed(message));
        }
        let as_versions = left_versions || right_versions;
        if !as_versions && matches!(operator, "~=" | "===") {
            let message = format!("`{operator}` compares versions, and there is none");
            return Err(Unread::Malformed(message));
        }
        Ok(Marker::Comparison {
            left,
            operator: operator.to_owned(),
            right,
            as_versions,
        })
    }

    fn operator(&mut self) -> Result<&'static str, Unread> {
        if let Some(operator) = OPERATORS.iter().find(|operator| self.takes(operator)) {
            return Ok(operator);
        }
        if self.takes_word("in") {
            return Ok("in");
        }
        if self.takes_word("not") && self.takes_word("in") {
            return Ok("not in");
        }
        Err(Unread::Malformed(match self.rest.trim() {
            "" => "it ends where a comparison is wanted".to_owned(),
            rest => format!("`{rest}` begins with no comparison"),
        }))
    }

    /// A variable or a text in quotes, and whether it is compared as a version.
    fn side(&mut self) -> Result<(Side, bool), Unread> {
        self.rest = self.rest.trim_start();
        for quote in ['\'', '"'] {
            if let Some(rest) = self.rest.strip_prefix(quote) {
                let (text, rest) = rest.split_once(quote).ok_or_else(|| {
                    Unread::Malformed(format!("the closing `{quote}` is missing"))
                })?;
                self.rest = rest;
                return Ok((Side::Text(text.to_owned()), false));
            }
        }
        let word = self.word();
        if word.is_empty() {
            return Err(Unread::Malformed(match self.rest {
                "" => "it ends where a variable or a text is wanted".to_owned(),
                rest => format!("`{rest}` begins with no variable and no text in quotes"),
            }));
        }
        if word.starts_with(|c: char| c.is_ascii_digit()) {
            return Err(Unread::Malformed(format!("`{word}` has no quotes")));
        }
        self.rest = &self.rest[word.len()..];
        VARIABLES
            .iter()
            .find(|(name, older, _)| word == *name || word == *older)
            .map(|(name, _, as_versions)| (Side::Variable(name), *as_versions))
            .ok_or_else(|| Unread::Unknown(word.to_owned()))
    }

    /// The word at the front, which may be empty.
    fn word(&self) -> &'a str {
        let end = self
            .rest
            .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '.'))
            .unwrap_or(self.rest.len());
        &self.rest[..end]
    }

    fn takes(&mut self, mark: &str) -> bool {
        match self.rest.trim_start().strip_prefix(mark) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn takes_word(&mut self, wanted: &str) -> bool {
        self.rest = self.rest.trim_start();
        let is_it = self.word() == wanted;
        if is_it {
            self.rest = &self.rest[wanted.len()..];
        }
        is_it
    }
}

fn single_or(mut markers: Vec<Marker>, several: fn(Vec<Marker>) -> Marker) -> Marker {
    match markers.len() {
        1 => markers.remove(0),
        _ => several(markers),
    }
}

/// The names of all variables, for messages.
pub(crate) fn names() -> Vec<&'static str> {
    let mut names: Vec<&str> = VARIABLES.iter().map(|(name, ..)| *name).collect();
    names.dedup();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(text: &str, extra: Option<&str>) -> bool {
        let variables = [
            ("os_name", "posix"),
            ("sys_platform", "linux"),
            ("platform_release", "6.8.0-45-generic"),
            ("platform_python_implementation", "CPython"),
            ("implementation_version", "3.12.1"),
            ("python_version", "3.12"),
            ("python_full_version", "3.12.1"),
        ];
        let variables = variables
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        Marker::parse(text).unwrap().holds(&variables, extra)
    }

    #[test]
    fn versions_are_compared_as_versions_and_everything_else_as_text() {
        for text in [
            "python_version >= '3.9'",
            "'3.9' <= python_version",
            "python_version == '3.*'",
            "python_full_version~='3.12.0'",
            "implementation_version < \"3.13\"",
            "python_version in '3.11 3.12'",
            "python_version not in '2.7, 3.1'",
            "sys_platform == 'linux' and os_name != 'nt'",
            "sys_platform == 'win32' or os_name == 'posix'",
            "os_name == 'nt' and os_name == 'nt' or sys_platform == 'linux'",
            "(os_name=='nt' or sys_platform=='linux') and python_version<'4'",
            "'lin' in sys_platform",
            "platform_release == '6.8.0-45-generic'",
            "os.name == 'posix' and python_implementation == 'CPython'",
            "sys_platform >= 'linux'",
        ] {
            assert!(holds(text, None), "{text}");
        }
        for text in [
            "python_version > '3.12'",
            "python_version < '3.9'",
            "sys_platform > 'aix'",
            "os_name == 'nt' and (os_name == 'nt' or sys_platform == 'linux')",
            "platform_machine == 'x86_64'",
        ] {
            assert!(!holds(text, None), "{text}");
        }
    }

    #[test]
    fn an_extra_is_compared_by_its_normalized_name() {
        assert!(holds("extra == 'Fast_IO'", Some("fast-io")));
        assert!(holds("'fast.io' == extra", Some("fast-io")));
        assert!(!holds("extra == 'fast-io'", None));
        assert!(holds("extra != 'fast-io'", None));
    }

    #[test]
    fn the_extras_that_a_marker_may_hold_for_are_those_that_it_names() {
        let extras = |text: &str| Marker::parse(text).unwrap().extras();
        let named = "os_name == 'nt' and (extra == 'Fast_IO' or 'b' == extra)";
        assert_eq!(extras(named).unwrap(), ["fast-io", "b"]);
        assert_eq!(extras("os_name == 'nt'").unwrap(), [""; 0]);
        for any in [
            "extra != 'a'",
            "'a' in extra",
            "extra == 'a' or extra == os_name",
        ] {
            assert_eq!(extras(any), None, "{any}");
        }
    }

    #[test]
    fn what_is_no_marker_is_told_from_a_variable_that_nobody_has() {
        assert_eq!(
            Marker::parse("python_versoin >= '3'"),
            Err(Unread::Unknown("python_versoin".to_owned()))
        );
        let deep = "(".repeat(100_000);
        for text in [
            "",
            "python_version",
            "python_version >=",
            "python_version >= 3",
            "python_version >= '3",
            "python_version >= '3' and",
            "python_version >= '3' os_name",
            "(python_version >= '3'",
            "'a' == 'a'",
            "sys_platform ~= 'linux'",
            "os_name not 'nt'",
            "é == 'a'",
            &deep,
        ] {
            let unread = Marker::parse(text).unwrap_err();
            assert!(matches!(unread, Unread::Malformed(_)), "{text}: {unread:?}");
        }
    }
}
