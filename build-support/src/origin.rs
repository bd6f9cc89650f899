//! Whether a distribution was installed from the address that a requirement names.
//! <https://packaging.python.org/en/latest/specifications/direct-url-data-structure/>

use std::collections::BTreeMap;

use crate::wire::{parse, read};

/// `direct_url.json`, as far as it is compared.
struct Origin {
    url: String,
    vcs_info: Option<Vcs>,
    archive_info: Option<Archive>,
    subdirectory: Option<String>,
}

read!(Origin {
    url,
    vcs_info,
    archive_info,
    subdirectory
});

struct Vcs {
    commit_id: String,
    requested_revision: Option<String>,
}

read!(Vcs {
    commit_id,
    requested_revision
});

struct Archive {
    hashes: Option<BTreeMap<String, String>>,
}

read!(Archive { hashes });

/// What a requirement's address says.
struct Wanted<'a> {
    url: &'a str,
    revision: Option<&'a str>,
    /// `subdirectory=...` and `sha256=...` behind `#`.
    fragment: Vec<(&'a str, &'a str)>,
}

/// Where it was installed from instead, if the two differ; what cannot be read differs in nothing.
pub(crate) fn other(wanted: &str, direct_url: &str) -> Option<String> {
    let origin: Origin = parse(direct_url).ok()?;
    let wanted = Wanted::of(wanted);
    let mut found = origin.url.clone();
    if let Some(vcs) = &origin.vcs_info {
        found = format!(
            "{found}@{}",
            vcs.requested_revision.as_ref().unwrap_or(&vcs.commit_id)
        );
    }
    let is_revision = |wanted: &str, vcs: &Vcs| {
        vcs.requested_revision.as_deref() == Some(wanted) || vcs.commit_id.starts_with(wanted)
    };
    let same = canonical(wanted.url) == canonical(&origin.url)
        && wanted.revision.is_none_or(|wanted| {
            origin
                .vcs_info
                .as_ref()
                .is_none_or(|vcs| is_revision(wanted, vcs))
        })
        && wanted.fragment.iter().all(|(key, value)| match *key {
            "subdirectory" => origin.subdirectory.as_deref() == Some(*value),
            algorithm => {
                let archive = origin.archive_info.as_ref();
                let hashes = archive.and_then(|archive| archive.hashes.as_ref());
                let found = hashes.and_then(|hashes| hashes.get(algorithm));
                found.is_none_or(|found| found.eq_ignore_ascii_case(value))
            }
        });
    (!same).then_some(found)
}

impl<'a> Wanted<'a> {
    fn of(text: &'a str) -> Self {
        let (url, fragment) = text.split_once('#').unwrap_or((text, ""));
        let fragment = fragment.split('&').filter_map(|pair| pair.split_once('='));
        let mut wanted = Self {
            url,
            revision: None,
            fragment: fragment.collect(),
        };
        // `git+https://host/path@revision`
        let scheme = url.split_once("://").map_or("", |(scheme, _)| scheme);
        if let Some((vcs, _)) = scheme.split_once('+') {
            wanted.url = &url[vcs.len() + 1..];
            let path = wanted.url.rfind('/').unwrap_or_default();
            if let Some(at) = wanted.url[path..].find('@') {
                wanted.revision = Some(&wanted.url[path + at + 1..]);
                wanted.url = &wanted.url[..path + at];
            }
        }
        wanted
    }
}

/// Without what does not tell two addresses apart: a user's name, which installers leave out, the case of a host, and
/// how its end is written.
fn canonical(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.to_owned();
    };
    let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let host = host.rsplit('@').next().unwrap_or(host);
    let path = path.trim_end_matches('/').trim_end_matches(".git");
    format!(
        "{}://{}{path}",
        scheme.to_ascii_lowercase(),
        host.to_ascii_lowercase()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_the_same_without_users_and_ends() {
        let git = r#"{"url": "https://host/a/b.git", "vcs_info": {"vcs": "git", "requested_revision": "main", "commit_id": "0123456789abcdef"}, "subdirectory": "py"}"#;
        for same in [
            "git+https://token@HOST/a/b@main#subdirectory=py",
            "git+https://host/a/b.git@0123456",
            "git+https://host/a/b.git",
        ] {
            assert_eq!(other(same, git), None, "{same}");
        }
        for differs in [
            "git+https://host/a/b@v2",
            "git+https://host/a/c@main",
            "git+https://host/a/b@main#subdirectory=other",
        ] {
            let found = other(differs, git).unwrap();
            assert_eq!(found, "https://host/a/b.git@main");
        }
        let archive =
            r#"{"url": "https://host/a.whl", "archive_info": {"hashes": {"sha256": "AB"}}}"#;
        assert_eq!(other("https://host/a.whl#sha256=ab", archive), None);
        assert!(other("https://host/a.whl#sha256=cd", archive).is_some());
        let folder = r#"{"url": "file:///srv/app/", "dir_info": {"editable": true}}"#;
        assert_eq!(other("file:///srv/app", folder), None);
        assert_eq!(other("file:///srv/app", "no json"), None);
    }
}
