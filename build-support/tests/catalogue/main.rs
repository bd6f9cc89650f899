//! Every error of an environment, provoked by real tools and files: its code, place, message and help; then the help is
//! followed, and the error is gone. `cargo test --test catalogue -- --nocapture` shows the texts.
//!
//! The tables of [`Proof`]s are compared with the catalogue: a code without a proof fails a test, and so does a proof
//! that provokes something else than it claims. What is wrong with the attribute itself the compiler's tests show.

mod adapter;
mod conda;
mod demands;
mod docker;
mod lock;
mod poetry;
mod pyenv;
mod site;
#[path = "../support/mod.rs"]
mod support;
mod sysroot;
mod uv;
mod venv;

use std::collections::BTreeSet;

use site::Site;
use snakepit_build::Code;

/// How one code is provoked, and what makes it go away.
pub(crate) struct Proof {
    pub(crate) code: Code,
    /// The part of the declaration that it belongs to.
    pub(crate) place: &'static str,
    /// Parts of the message: what was wanted and what was found.
    pub(crate) says: &'static [&'static str],
    /// A part of the help.
    pub(crate) help: &'static str,
    /// The broken site; `None`, said aloud, where a tool cannot be had.
    pub(crate) scene: fn() -> Option<Site>,
    /// Does what the help says, most often [`Site::follow`].
    pub(crate) mend: fn(&mut Site, &str),
}

impl Proof {
    fn run(&self) {
        let Some(mut site) = (self.scene)() else {
            return;
        };
        let fault = site.refused();
        println!("\n{fault} (at {})", fault.place());
        assert!(fault.is(self.code), "{fault:?}");
        assert_eq!(fault.place(), self.place, "{fault:?}");
        for part in self.says {
            assert!(fault.message().contains(part), "`{part}`: {fault:?}");
        }
        assert!(fault.help().contains(self.help), "{fault:?}");
        (self.mend)(&mut site, fault.help());
        // One that was hidden behind it, such as an environment that is missing beside its lock, is followed likewise.
        let mut seen = vec![fault];
        while let Err(next) = site.resolve() {
            let again = seen.iter().any(|seen| seen.code() == next.code());
            assert!(!again, "not mended: {next:?}");
            println!("then: {next}");
            site.follow(next.help());
            seen.push(next);
        }
    }
}

const TABLES: &[&[Proof]] = &[
    adapter::PROOFS,
    conda::PROOFS,
    demands::PROOFS,
    docker::PROOFS,
    lock::PROOFS,
    poetry::PROOFS,
    pyenv::PROOFS,
    sysroot::PROOFS,
    uv::PROOFS,
    venv::PROOFS,
];

fn prove(proofs: &[Proof]) {
    for proof in proofs {
        proof.run();
    }
}

/// What is wrong with an attribute or with the build script, before an environment is looked for.
const OF_THE_ATTRIBUTE: &[Code] = &[
    Code::AdapterInvalid,
    Code::AttributeInvalid,
    Code::DeclarationUnknown,
    Code::InvalidPythonEnvironment,
    Code::KeyRepeated,
    Code::KeyUnknown,
    Code::ManifestInvalid,
    Code::ManifestNotFound,
    Code::OptionUnknown,
    Code::PoolNameTaken,
    Code::PoolNotDeclared,
    Code::PoolTypeInvalid,
    Code::StructNotSupported,
    Code::ValueInvalid,
];

#[test]
fn every_error_of_an_environment_has_a_proof() {
    let proofs = TABLES.iter().copied().flatten();
    let proven: BTreeSet<Code> = proofs.map(|proof| proof.code).collect();
    let mut wanted = Code::ALL.to_vec();
    wanted.retain(|code| !code.is_warning() && !OF_THE_ATTRIBUTE.contains(code));
    wanted.retain(|code| !proven.contains(code));
    assert!(wanted.is_empty(), "nothing provokes {wanted:?}");
}

#[test]
fn faults_of_virtual_environments_and_of_the_machines_python() {
    prove(venv::PROOFS);
}

#[test]
fn faults_of_what_a_declaration_demands() {
    prove(demands::PROOFS);
}

#[test]
fn faults_of_an_adapter() {
    prove(adapter::PROOFS);
}

#[test]
fn faults_of_uv() {
    prove(uv::PROOFS);
}

#[test]
fn faults_of_poetry() {
    prove(poetry::PROOFS);
}

#[test]
fn faults_of_pyenv() {
    prove(pyenv::PROOFS);
}

#[test]
fn faults_of_conda() {
    prove(conda::PROOFS);
}

#[test]
fn faults_of_containers() {
    prove(docker::PROOFS);
}

#[test]
fn faults_of_the_lock() {
    prove(lock::PROOFS);
}

#[test]
fn faults_of_a_targets_root_file_system() {
    prove(sysroot::PROOFS);
}
