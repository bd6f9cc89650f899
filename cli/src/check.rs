//! `check`: what each pool gets, or what is wrong with it.

use crate::args::Check;
use crate::failure::Failure;
use crate::output::Output;
use crate::report::{PackageReport, Status};
use crate::survey::{How, survey};
use crate::{fix, json, layout};

/// Whether all is fine.
pub(crate) fn run(check: &Check, output: &mut Output) -> Result<bool, Failure> {
    let packages = check.selection.packages()?;
    let how = How {
        pools: &check.pool,
        anew: check.thorough,
    };
    let mut reports = survey(&packages, how)?;
    if check.json {
        output.line(json::document(&reports));
    } else {
        layout::show(&reports, check.verbose, output);
    }
    if check.offer_fix && fix::offer(&reports, check.yes, output)? {
        output.line("");
        reports = survey(&packages, how)?;
        layout::show(&reports, check.verbose, output);
    }
    let failed = |report: &PackageReport| report.status() == Status::Error;
    Ok(!reports.iter().any(failed))
}
