//! What is installed, and what is demanded of it.

use super::{request, with_venv};
use crate::verdict::resolved;

const METADATA: &str = "/site/demo-1.0.dist-info/METADATA";

/// The texts of `python` and `requires`, a line each.
pub(crate) fn requirement(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let mut request = request("venv", &[]);
    request.python = text.lines().next().map(str::to_owned);
    request.requires = text.lines().map(str::to_owned).collect();
    let tree = with_venv()
        .file(
            METADATA,
            "Version: 1.0\nProvides-Extra: fast\nRequires-Dist: other>1; extra == 'fast'\n",
        )
        .file("/site/other-2.0rc1.dist-info/METADATA", "Version: 2.0rc1\n");
    resolved(&request, &tree);
}

/// `METADATA`, of a distribution without `RECORD`, and `PKG-INFO` in its two places.
pub(crate) fn metadata(data: &[u8]) {
    let mut request = request("venv", &[]);
    request.requires = ["demo[fast,all]>=1", "older", "debian ~= 2.0"]
        .map(str::to_owned)
        .to_vec();
    let tree = with_venv()
        .file(METADATA, data)
        .file("/site/older.egg-info/PKG-INFO", data)
        .file("/site/debian-2.0.egg-info", data);
    resolved(&request, &tree);
}

/// `direct_url.json`.
pub(crate) fn direct_url(data: &[u8]) {
    let mut request = request("venv", &[]);
    request.requires = [
        "demo @ git+https://user@host/a/demo.git@v1#subdirectory=py",
        "demo @ https://host/demo.whl#sha256=ab",
        "demo @ file:///srv/demo",
    ]
    .map(str::to_owned)
    .to_vec();
    let tree = with_venv()
        .file(METADATA, "Version: 1.0\n")
        .file("/site/demo-1.0.dist-info/direct_url.json", data);
    resolved(&request, &tree);
}

/// Names in a folder of distributions, a line each.
pub(crate) fn names(data: &[u8]) {
    let mut request = request("venv", &[]);
    request.requires = ["demo>=1", "other"].map(str::to_owned).to_vec();
    let mut tree = with_venv();
    for name in String::from_utf8_lossy(data).lines() {
        tree = tree.file(&format!("/site/{name}/METADATA"), "Version: 1.0\n");
    }
    resolved(&request, &tree);
}
