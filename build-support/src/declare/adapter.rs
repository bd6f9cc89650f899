//! The value of `adapter`: a module that the interpreter finds, or a file to embed.

use proc_macro2::Span;
use syn::LitStr;

use super::mistake::Mistake;
use super::nearest::nearest;
use super::setting::{Argument, Setting, Value, choice};
use crate::catalogue::Code;
use crate::declaration::Adapter;

/// `"package.module"` or `embed("file.py")`, and where it stands.
pub(super) fn adapter(setting: &Setting) -> Result<(Adapter, Span), Mistake> {
    const EMBED: &str = "write `embed(\"...\")` with the path of a Python file in the package";
    if let Some(Value::Word(word)) = &setting.value {
        let text = word.to_string();
        if setting.arguments.is_empty() && nearest(&text, ["embed"].into_iter()).is_none() {
            let help = format!("write `adapter = {text:?}`");
            return Err(Mistake::value(word, "a text in quotes", help));
        }
        choice(word, &[("embed", ())])?;
        let file = match setting.arguments.as_slice() {
            [Argument::Text(file)] => file,
            [Argument::Bare(bare)] => {
                return Err(Mistake::bare(bare, &|text| format!("embed({text})")));
            }
            _ => return Err(Mistake::value(word, "`embed` with one file", EMBED)),
        };
        let adapter = Adapter::Embed(file.value());
        check_class(&adapter, file)?;
        return Ok((adapter, file.span()));
    }
    let module = setting.text("\"package.module\"")?;
    let name = module.value();
    let invalid = |message, help| Mistake::new(module, Code::AdapterInvalid, message, help);
    if !setting.arguments.is_empty() {
        return Err(invalid("a module takes no parentheses", EMBED.to_owned()));
    }
    let (path, class) = name.split_once(':').unwrap_or((&name, ""));
    if let Some(stem) = path.strip_suffix(".py") {
        let named = |module: &str| match class {
            "" => module.to_owned(),
            class => format!("{module}:{class}"),
        };
        let help = match stem.rsplit_once('/') {
            Some((folder, module)) => format!(
                "write `adapter = {:?}, python_path = [{folder:?}]`, or `embed({name:?})`, which puts the file into \
                 the program",
                named(module)
            ),
            // It may lie in any folder that `python_path` has.
            None => format!(
                "write `adapter = {:?}`, and its folder into `python_path`, as in `python_path = [\"python\"]`",
                named(stem)
            ),
        };
        return Err(invalid("an adapter is a module, not a file", help));
    }
    let adapter = Adapter::Module(name);
    if !adapter.module().split('.').all(is_identifier) {
        let message = "an adapter is the dotted name of a module";
        let help = "write it as `import` takes it, such as `service.tools`";
        return Err(invalid(message, help.to_owned()));
    }
    check_class(&adapter, module)?;
    Ok((adapter, module.span()))
}

fn check_class(adapter: &Adapter, text: &LitStr) -> Result<(), Mistake> {
    match adapter.class() {
        Some(class) if !is_identifier(class) => {
            let message = format!("`{class}` is no name of a class");
            let before = text.value();
            let before = before.strip_suffix(class).unwrap_or_default();
            let help =
                format!("write the name of a class behind the colon, such as `{before}Tools`");
            Err(Mistake::new(text, Code::AdapterInvalid, message, help))
        }
        _ => Ok(()),
    }
}

/// Whether Python takes it for a name; its keywords are left to Python.
pub(crate) fn is_identifier(part: &str) -> bool {
    !part.starts_with(|c: char| c.is_ascii_digit())
        && !part.is_empty()
        && part.chars().all(|c| c == '_' || c.is_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(value: &str) -> Result<Adapter, String> {
        let setting = syn::parse_str(&format!("adapter = {value}")).unwrap();
        adapter(&setting)
            .map(|(adapter, _)| adapter)
            .map_err(|mistake| mistake.to_string())
    }

    #[test]
    fn an_adapter_is_a_module_or_a_file_to_embed() {
        let embedded = parsed("embed(\"python/my_tools.py\")").unwrap();
        assert_eq!(embedded, Adapter::Embed("python/my_tools.py".to_owned()));
        assert_eq!(embedded.module(), "my_tools");
        assert_eq!(parsed("\"a.b\"").unwrap().module(), "a.b");
    }

    #[test]
    fn a_class_stands_behind_a_colon() {
        let module = parsed("\"a.b:Tools\"").unwrap();
        assert_eq!((module.module(), module.class()), ("a.b", Some("Tools")));
        let embedded = parsed("embed(\"a:b/tools.py:Tools\")").unwrap();
        assert_eq!(embedded.file(), Some("a:b/tools.py"));
        assert_eq!(embedded.name(), "tools:Tools");
        for wrong in [
            "\"a:\"",
            "\"a:b.C\"",
            "\"a:B:C\"",
            "embed(\"a.py:\")",
            "embed(\"a.py:1\")",
        ] {
            let error = parsed(wrong).unwrap_err();
            assert!(error.contains("is no name of a class"), "{error}");
        }
        let error = parsed("\"python/a.py:Tools\"").unwrap_err();
        assert!(
            error.contains("`adapter = \"a:Tools\", python_path = [\"python\"]`"),
            "{error}"
        );
        assert!(error.contains("`embed(\"python/a.py:Tools\")`"), "{error}");
    }

    #[test]
    fn what_is_neither_is_refused_with_what_to_write() {
        let error = parsed("embd(\"tools.py\")").unwrap_err();
        assert!(error.contains("did you mean `embed`?"), "{error}");
        for wrong in [
            "embed",
            "embed()",
            "embed(\"a.py\", \"b.py\")",
            "embed(file = \"a.py\")",
        ] {
            let error = parsed(wrong).unwrap_err();
            assert!(error.contains("write `embed(\"...\")`"), "{error}");
        }
        let error = parsed("\"python/tools.py\"").unwrap_err();
        assert!(error.contains("`embed(\"python/tools.py\")`"), "{error}");
        assert!(
            error.contains("`adapter = \"tools\", python_path = [\"python\"]`"),
            "{error}"
        );
        let error = parsed("\"tools.py:Tools\"").unwrap_err();
        assert!(
            error.contains("`adapter = \"tools:Tools\"`, and its folder into `python_path`"),
            "{error}"
        );
        let error = parsed("greetings").unwrap_err();
        assert!(error.contains("write `adapter = \"greetings\"`"), "{error}");
        for (bare, quoted) in [
            ("service.tools", "service.tools"),
            ("service::tools", "service::tools"),
            ("python/my-tools.py", "python/my-tools.py"),
        ] {
            let error = parsed(bare).unwrap_err();
            let help = format!("write `adapter = {quoted:?}`");
            assert!(error.contains(&help), "{error}");
        }
        let error = parsed("embed(python/tools.py)").unwrap_err();
        assert!(
            error.contains("write `embed(\"python/tools.py\")`"),
            "{error}"
        );
        assert!(parsed("\"a-b\"").unwrap_err().contains("dotted name"));
        let error = parsed("\"a\"(\"b\")").unwrap_err();
        assert!(error.contains("no parentheses"), "{error}");
    }
}
