//! Every failure that a build can report: one code, what was wanted and found, and what to do about it.

use serde::{Deserialize, Serialize};

/// The codes of all diagnostics, sorted; a diagnostic cannot be made with another one.
pub const CODES: &[&str] = &[
    "adapter_file_invalid",
    "adapter_file_not_found",
    "adapter_not_found",
    "adapter_too_large",
    "conda_activation_failed",
    "conda_environment_invalid",
    "conda_environment_not_found",
    "conda_file_invalid",
    "conda_file_not_found",
    "conda_not_found",
    "conda_options_conflict",
    "conda_python_missing",
    "container_name_invalid",
    "container_not_found",
    "container_not_running",
    "container_or_image_required",
    "container_path_not_found",
    "container_path_relative",
    "container_python_not_found",
    "custom_environment_not_registered",
    "docker_engine_unreachable",
    "docker_not_installed",
    "engine_unknown",
    "environment_not_synced",
    "executable_not_absolute",
    "image_not_found",
    "invalid_python_environment",
    "launch_not_supported",
    "poetry_environment_invalid",
    "poetry_environment_not_found",
    "poetry_failed",
    "poetry_file_invalid",
    "poetry_lock_invalid",
    "poetry_lock_not_found",
    "poetry_lock_out_of_step",
    "poetry_not_found",
    "poetry_project_not_found",
    "probe_failed",
    "project_dir_not_found",
    "pyenv_not_installed",
    "pyenv_version_invalid",
    "pyenv_version_not_found",
    "python_not_found",
    "python_path_not_found",
    "python_too_old",
    "python_version_invalid",
    "python_version_mismatch",
    "python_version_required",
    "requirement_extra_unknown",
    "requirement_invalid",
    "requirement_marker_unknown",
    "requirement_not_installed",
    "requirement_not_met",
    "uv_lock_invalid",
    "uv_lock_not_found",
    "uv_not_installed",
    "venv_invalid",
    "venv_not_found",
];

/// One failure, and the part of the declaration that it belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diagnostic {
    /// A code of [`CODES`].
    pub code: String,
    /// What was wanted and what was found: lower case, no full stop.
    pub message: String,
    /// What to do about it.
    pub help: String,
    /// The part of the declaration: a key of [`PoolDeclaration::spans`](crate::declaration::PoolDeclaration::spans).
    pub place: String,
}

impl Diagnostic {
    /// A diagnostic that belongs to the environment's name.
    ///
    /// # Panics
    /// If `code` is not in [`CODES`]: a slip in the code, found by the first test that provokes it.
    pub fn new(code: &str, message: impl Into<String>, help: impl Into<String>) -> Self {
        assert!(CODES.contains(&code), "`{code}` is not in the catalogue");
        Self::custom(code, message, help)
    }

    /// A diagnostic of an environment that a program registers itself, with a code of its own such as
    /// `nix_not_found`.
    ///
    /// ```
    /// use snakepit_build::Diagnostic;
    ///
    /// let fault = Diagnostic::custom("nix_not_found", "no `nix` on the search path", "install Nix");
    /// assert_eq!(fault.place, "environment");
    /// ```
    pub fn custom(
        code: impl Into<String>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> Self {
        Self {
            code: code.into(),
            message: message.into(),
            help: help.into(),
            place: "environment".to_owned(),
        }
    }

    /// The same, at another part of the declaration.
    #[must_use]
    pub fn at(mut self, place: impl Into<String>) -> Self {
        self.place = place.into();
        self
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_codes_are_sorted_and_unique() {
        assert!(super::CODES.windows(2).all(|pair| pair[0] < pair[1]));
    }
}
