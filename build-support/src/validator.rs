//! Whether a worker's profile makes sense on its interpreter.

use crate::catalogue::Code;
use crate::declaration::{Profile, Request};
use crate::diagnostic::Diagnostic;
use crate::probe::Interpreter;

/// The seed's matrix of profile and Python.
pub(crate) fn warnings(request: &Request, interpreter: &Interpreter) -> Vec<Diagnostic> {
    let Profile::Thread(threads) = request.profile else {
        return Vec::new();
    };
    let version = &interpreter.version;
    let minor = |text: &str| -> Option<(u32, u32)> {
        let mut parts = text.split('.');
        Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
    };
    let warning = if minor(version).is_some_and(|version| version < (3, 13)) {
        Diagnostic::new(
            Code::ThreadProfileWithoutFreeThreading,
            format!(
                "{threads} threads share one GIL on Python {version}, which has no free-threaded build"
            ),
            "use `profile = process`, or Python 3.13t or later",
        )
    } else if interpreter.gil_enabled {
        Diagnostic::new(
            Code::GilStillEnabled,
            format!("{threads} threads share one GIL, which is enabled in this Python {version}"),
            "use `profile = process`, or a free-threaded build",
        )
    } else {
        return Vec::new();
    };
    vec![warning.at("profile")]
}
