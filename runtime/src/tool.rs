//! The tools of an adapter as the build read them in its source: constants, like the rest of a spec.

use std::fmt;

/// A Python function that the host can call by its name, as the adapter's source says it. Both `Display` and `Debug`
/// show its signature as Python would write it.
///
/// ```
/// use snakepit::{Parameter, ParameterKind, Tool};
///
/// let tool = Tool {
///     name: "search",
///     parameters: &[
///         Parameter {
///             name: "query",
///             kind: ParameterKind::PositionalOrKeyword,
///             default: None,
///             annotation: Some("str"),
///         },
///         Parameter {
///             name: "limit",
///             kind: ParameterKind::KeywordOnly,
///             default: Some("10"),
///             annotation: None,
///         },
///     ],
///     returns: Some("list[str]"),
///     doc: Some("Finds documents."),
///     is_async: true,
///     is_streaming: false,
/// };
/// assert_eq!(tool.to_string(), "async search(query: str, *, limit=10) -> list[str]");
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Tool {
    /// The name to call it by: the function's, or that of `@tool(name = "...")`.
    pub name: &'static str,
    /// What it takes, in the order of the source.
    pub parameters: &'static [Parameter],
    /// The annotation of what it returns, as the source has it.
    pub returns: Option<&'static str>,
    /// The first line of its docstring.
    pub doc: Option<&'static str>,
    /// Whether it is an `async def`.
    pub is_async: bool,
    /// Whether it is a generator: a `yield` stands in its own body.
    pub is_streaming: bool,
}

/// One parameter of a [`Tool`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parameter {
    /// Its name, without the stars.
    pub name: &'static str,
    /// How it is passed.
    pub kind: ParameterKind,
    /// Its default, as the source has it.
    pub default: Option<&'static str>,
    /// Its annotation, as the source has it.
    pub annotation: Option<&'static str>,
}

/// How a parameter is passed: the kinds of Python's `inspect.Parameter`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParameterKind {
    /// Before `/`.
    PositionalOnly,
    /// The usual one.
    PositionalOrKeyword,
    /// `*args`.
    VarPositional,
    /// After `*` or `*args`.
    KeywordOnly,
    /// `**kwargs`.
    VarKeyword,
}

impl fmt::Display for Tool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use ParameterKind::{KeywordOnly, PositionalOnly, VarPositional};
        if self.is_async {
            f.write_str("async ")?;
        }
        if self.is_streaming {
            f.write_str("stream ")?;
        }
        write!(f, "{}(", self.name)?;
        let mut before: Option<ParameterKind> = None;
        for parameter in self.parameters {
            let kind = parameter.kind;
            if before == Some(PositionalOnly) && kind != PositionalOnly {
                f.write_str(", /")?;
            }
            if before.is_some() {
                f.write_str(", ")?;
            }
            if kind == KeywordOnly && !matches!(before, Some(KeywordOnly | VarPositional)) {
                f.write_str("*, ")?;
            }
            parameter.fmt(f)?;
            before = Some(kind);
        }
        if before == Some(PositionalOnly) {
            f.write_str(", /")?;
        }
        f.write_str(")")?;
        match self.returns {
            Some(returns) => write!(f, " -> {returns}"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Tool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Parameter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            ParameterKind::VarPositional => "*",
            ParameterKind::VarKeyword => "**",
            _ => "",
        })?;
        f.write_str(self.name)?;
        match (self.annotation, self.default) {
            (None, None) => Ok(()),
            (None, Some(default)) => write!(f, "={default}"),
            (Some(annotation), None) => write!(f, ": {annotation}"),
            (Some(annotation), Some(default)) => write!(f, ": {annotation} = {default}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ParameterKind::{
        KeywordOnly, PositionalOnly, PositionalOrKeyword, VarKeyword, VarPositional,
    };

    /// The signature of a tool `f` with parameters `a`, `b` and so on of these kinds.
    fn signature(kinds: &[ParameterKind]) -> String {
        let names = ["a", "b", "c", "d", "e"];
        let parameters = kinds.iter().zip(names).map(|(&kind, name)| Parameter {
            name,
            kind,
            default: None,
            annotation: None,
        });
        let tool = Tool {
            name: "f",
            parameters: Box::leak(parameters.collect()),
            returns: None,
            doc: None,
            is_async: false,
            is_streaming: false,
        };
        format!("{tool:?}")
    }

    #[test]
    fn a_tool_that_gives_a_stream_says_so() {
        let tool = Tool {
            name: "train",
            parameters: &[],
            returns: None,
            doc: None,
            is_async: true,
            is_streaming: true,
        };
        assert_eq!(tool.to_string(), "async stream train()");
    }

    #[test]
    fn the_markers_of_a_signature_stand_where_python_has_them() {
        assert_eq!(signature(&[]), "f()");
        assert_eq!(signature(&[PositionalOnly]), "f(a, /)");
        assert_eq!(
            signature(&[PositionalOnly, PositionalOrKeyword]),
            "f(a, /, b)"
        );
        assert_eq!(signature(&[PositionalOnly, KeywordOnly]), "f(a, /, *, b)");
        assert_eq!(signature(&[KeywordOnly, KeywordOnly]), "f(*, a, b)");
        assert_eq!(signature(&[VarPositional, KeywordOnly]), "f(*a, b)");
        assert_eq!(
            signature(&[PositionalOnly, VarPositional, VarKeyword]),
            "f(a, /, *b, **c)"
        );
    }
}
