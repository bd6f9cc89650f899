//! The packages that are meant, as cargo knows them.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, TargetKind};
use clap_cargo::{Features, Manifest, Workspace};

use snakepit_build::package::on_this_machine;

use crate::failure::Failure;
use crate::last_build::LastBuild;

/// The crate that a program depends on.
pub(crate) const RUNTIME: &str = "snakepit";

/// The crate that its build script depends on.
pub(crate) const BUILD: &str = "snakepit-build";

/// A package that depends on Snakepit.
#[derive(Debug)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) manifest: PathBuf,
    /// Its folder.
    pub(crate) folder: PathBuf,
    /// Where cargo keeps what build scripts write.
    pub(crate) build_folder: PathBuf,
    /// Where this program keeps what interpreters answered.
    pub(crate) cache: PathBuf,
    /// Whether it has a build script that depends on the build helper.
    pub(crate) has_build_script: bool,
    /// The files that cargo starts compiling at, and those that the build script named when it last ran.
    pub(crate) sources: Vec<PathBuf>,
    /// Whether the build script names further files and has not run yet.
    pub(crate) has_unknown_sources: bool,
    /// The features that are on, as cargo tells them to build scripts: `CARGO_FEATURE_NAME`.
    features: BTreeSet<String>,
}

/// What cargo says of the package or workspace here.
///
/// # Errors
/// There is none, or its manifest is not valid.
pub(crate) fn metadata(manifest: &Manifest) -> Result<Metadata, Failure> {
    let mut command: MetadataCommand = MetadataCommand::new();
    if let Some(path) = &manifest.manifest_path {
        command.manifest_path(path);
    }
    command.no_deps().exec().map_err(|error| match error {
        cargo_metadata::Error::CargoMetadata { stderr } => {
            let said = stderr.trim();
            Failure::usage(said.strip_prefix("error: ").unwrap_or(said))
        }
        other => Failure::usage(format!("cargo does not tell of its packages: {other}")),
    })
}

/// Whether cargo finds all that a package depends on.
///
/// # Errors
/// What cargo says.
pub(crate) fn resolved(manifest: &Path) -> Result<(), String> {
    let mut command = MetadataCommand::new();
    let found = command.manifest_path(manifest).exec();
    found.map(drop).map_err(|error| match error {
        cargo_metadata::Error::CargoMetadata { stderr } => stderr.trim().to_owned(),
        other => other.to_string(),
    })
}

impl Package {
    /// The packages that the arguments mean: those that are named, else the one of this folder, else those that cargo
    /// would build here.
    ///
    /// # Errors
    /// There is none, one that is named is not there, or none depends on Snakepit.
    pub(crate) fn selected(
        workspace: &Workspace,
        manifest: &Manifest,
        features: &Features,
    ) -> Result<Vec<Self>, Failure> {
        let metadata = metadata(manifest)?;
        let members = metadata.workspace_packages();
        let Workspace {
            package: named,
            workspace,
            all,
            exclude,
            ..
        } = workspace;
        let name = |package: &&cargo_metadata::Package| package.name.to_string();
        for wanted in named.iter().chain(exclude) {
            if !members.iter().any(|package| *package.name == *wanted) {
                let known: Vec<String> = members.iter().map(name).collect();
                return Err(Failure::usage(format!(
                    "no package `{wanted}` in the workspace, which has {}",
                    listed(&known)
                )));
            }
        }
        let own = own(&metadata, manifest);
        let mut chosen: Vec<&cargo_metadata::Package> = if !named.is_empty() {
            let is_named = |package: &&&cargo_metadata::Package| {
                named.iter().any(|name| *package.name == *name)
            };
            members.iter().filter(is_named).copied().collect()
        } else if *workspace || *all {
            members.clone()
        } else if let Some(own) = own {
            vec![own]
        } else {
            let defaults = metadata.workspace_default_packages();
            if defaults.is_empty() {
                members.clone()
            } else {
                defaults
            }
        };
        chosen.retain(|package| !exclude.iter().any(|name| *package.name == *name));
        let names: Vec<String> = chosen.iter().map(name).collect();
        let packages: Vec<Self> = chosen
            .into_iter()
            .filter(|package| depends_on(package, RUNTIME))
            .map(|package| Self::of(package, &metadata, features))
            .collect();
        if packages.is_empty() {
            return Err(Failure::usage(match &names[..] {
                [] => "no package is left to look at".to_owned(),
                [one] => format!(
                    "the package `{one}` does not depend on `{RUNTIME}`: `cargo snakepit init` sets it up"
                ),
                several => format!(
                    "none of the packages {} depends on `{RUNTIME}`: `cargo snakepit init -p NAME` sets one up",
                    listed(several)
                ),
            }));
        }
        Ok(packages)
    }

    fn of(package: &cargo_metadata::Package, metadata: &Metadata, features: &Features) -> Self {
        let manifest = package.manifest_path.clone().into_std_path_buf();
        let build_folder = metadata.build_directory.as_ref();
        let build_folder = build_folder.unwrap_or(&metadata.target_directory);
        let sources = package
            .targets
            .iter()
            .map(|target| target.src_path.clone().into_std_path_buf());
        let is_script =
            |target: &cargo_metadata::Target| target.kind.contains(&TargetKind::CustomBuild);
        let is_helper = |dependency: &cargo_metadata::Dependency| {
            dependency.name == BUILD && dependency.kind == DependencyKind::Build
        };
        let script = package.targets.iter().find(|target| is_script(target));
        let mut own = Self {
            name: package.name.to_string(),
            version: package.version.to_string(),
            folder: manifest.parent().unwrap_or(Path::new("/")).to_owned(),
            manifest,
            build_folder: build_folder.clone().into_std_path_buf(),
            cache: metadata
                .target_directory
                .join("snakepit")
                .into_std_path_buf(),
            has_build_script: script.is_some() && package.dependencies.iter().any(is_helper),
            sources: sources.collect(),
            has_unknown_sources: false,
            features: enabled(package, features),
        };
        if let Some(script) = script
            && fs::read_to_string(&script.src_path).is_ok_and(|text| text.contains(".source("))
        {
            match LastBuild::of(&own) {
                Some(last) => own.sources.extend(
                    last.manifest
                        .sources
                        .iter()
                        .map(|source| own.folder.join(source)),
                ),
                None => own.has_unknown_sources = true,
            }
        }
        own
    }

    /// What cargo would tell the build script.
    pub(crate) fn variable(&self, name: &str) -> Option<String> {
        if let Some(feature) = name.strip_prefix("CARGO_FEATURE_") {
            return self.features.contains(feature).then(String::new);
        }
        on_this_machine(name)
    }
}

/// The package whose folder this is, or is above.
pub(crate) fn own<'m>(
    metadata: &'m Metadata,
    manifest: &Manifest,
) -> Option<&'m cargo_metadata::Package> {
    let here = match &manifest.manifest_path {
        Some(path) => path.parent().map(Path::to_owned)?,
        None => PathBuf::from("."),
    };
    let here = here.canonicalize().ok()?;
    let mut found: Vec<_> = metadata
        .workspace_packages()
        .into_iter()
        .filter_map(|package| {
            let folder = package.manifest_path.parent()?.canonicalize().ok()?;
            here.starts_with(&folder).then_some((folder, package))
        })
        .collect();
    found.sort_by_key(|(folder, _)| folder.components().count());
    let (folder, package) = found.pop()?;
    // At the root of a workspace with a package cargo builds the default members, which are this one by itself.
    let root = metadata.workspace_root.canonicalize().ok();
    let is_default = metadata.workspace_default_members.contains(&package.id);
    (root.as_ref() != Some(&folder) || is_default).then_some(package)
}

/// Whether a package depends on a crate, under whatever name.
pub(crate) fn depends_on(package: &cargo_metadata::Package, name: &str) -> bool {
    package
        .dependencies
        .iter()
        .any(|dependency| dependency.name == name)
}

/// The features that are on, and what they turn on.
fn enabled(package: &cargo_metadata::Package, features: &Features) -> BTreeSet<String> {
    let mut open: Vec<String> = features
        .features
        .iter()
        .flat_map(|list| list.split([' ', ',']))
        .map(str::to_owned)
        .collect();
    if features.all_features {
        open.extend(package.features.keys().cloned());
    } else if !features.no_default_features {
        open.push("default".to_owned());
    }
    let mut enabled = BTreeSet::new();
    while let Some(feature) = open.pop() {
        if enabled.insert(feature.clone())
            && let Some(more) = package.features.get(&feature)
        {
            open.extend(
                more.iter()
                    .filter(|name| !name.contains([':', '/']))
                    .cloned(),
            );
        }
    }
    let shown = enabled
        .iter()
        .filter(|name| package.features.contains_key(*name));
    shown
        .map(|name| name.to_uppercase().replace('-', "_"))
        .collect()
}

/// `` `a`, `b` and `c` ``.
fn listed(names: &[String]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    match &quoted[..] {
        [] => "none".to_owned(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}
