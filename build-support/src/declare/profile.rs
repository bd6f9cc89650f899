//! The value of `profile`: how one worker runs its requests, and how many at a time.

use super::mistake::Mistake;
use super::nearest::unknown;
use super::setting::{Argument, Setting, choice, literal, within};
use crate::catalogue::Code;
use crate::declaration::Profile;

/// A profile, the option that says how many, and how many there are without it.
type Form = (fn(u32) -> Profile, Option<&'static str>, u32);

const FORMS: &[(&str, Form)] = &[
    ("process", (|_| Profile::Process, None, 1)),
    ("thread", (Profile::Thread, Some("threads"), 4)),
    ("async", (Profile::Async, Some("concurrency"), 64)),
];

/// How they are written.
const SHOWN: &str = "`process`, `thread(threads = N)`, `async(concurrency = N)`";

/// `process`, `thread(threads = 8)` or `async(concurrency = 8)`.
pub(super) fn profile(setting: &Setting) -> Result<Profile, Mistake> {
    let word = setting.word(SHOWN)?;
    let (profile, option, mut count) = choice(word, FORMS)?;
    for argument in &setting.arguments {
        let (name, span, value) = match argument {
            Argument::Pair {
                name, span, value, ..
            } => (name, *span, value),
            Argument::Text(_) | Argument::Bare(_) => {
                let help = format!("write `profile` as one of {SHOWN}");
                return Err(Mistake::value(&setting.key, "an option with a name", help));
            }
        };
        if option != Some(name.as_str()) {
            let message = format!("`{word}` has no option `{name}`");
            let known = option.into_iter();
            return Err(unknown(span, Code::OptionUnknown, &message, name, known));
        }
        let number = literal(value).and_then(|literal| within(&literal, 1024));
        let help = format!("write `{word}({name} = 8)`");
        count = number.ok_or_else(|| Mistake::value(value, "a number from 1 to 1024", help))?;
    }
    Ok(profile(count))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_says_how_many_requests_run_at_a_time() {
        let profile = |text: &str| {
            let setting = syn::parse_str(&format!("profile = {text}"));
            let setting = setting.map_err(|error| error.to_string())?;
            profile(&setting).map_err(|mistake| mistake.to_string())
        };
        assert_eq!(profile("process"), Ok(Profile::Process));
        assert_eq!(profile("thread"), Ok(Profile::Thread(4)));
        assert_eq!(profile("async"), Ok(Profile::Async(64)));
        assert_eq!(profile("async(concurrency = 8)"), Ok(Profile::Async(8)));
        for wrong in ["async(threads = 8)", "process(threads = 1)", "thread(8)"] {
            assert!(profile(wrong).is_err(), "{wrong}");
        }
        let error = profile("asink").unwrap_err();
        assert!(error.contains("did you mean `async`?"), "{error}");
    }
}
