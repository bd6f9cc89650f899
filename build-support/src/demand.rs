//! Whether an interpreter and its installed distributions are what a declaration demands.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use crate::catalogue::Code;
use crate::diagnostic::Diagnostic;
use crate::distribution::{Distribution, Distributions};
use crate::marker::{Marker, Variables};
use crate::ordered::{Map, Ordered, Set};
use crate::origin;
use crate::requirement::{Requirement, Source, normalized, upright};
use crate::specifier::Specifiers;
use crate::version::Version;

/// What `python = "..."` says.
pub(crate) fn specifiers(text: &str) -> Result<Specifiers, Diagnostic> {
    Specifiers::from_str(text).map_err(|error| {
        let message = format!("`{text}` is not a version specifier: {error}");
        let help = match Version::from_str(text) {
            Ok(version) if version.release.len() < 3 => format!("did you mean `=={text}.*`?"),
            Ok(_) => format!("did you mean `=={text}`?"),
            Err(_) => match upright(text) {
                Some(upright) => format!("did you mean `{upright}`?"),
                None => "write one like `>=3.11,<3.14`".to_owned(),
            },
        };
        Diagnostic::new(Code::RequirementInvalid, message, help).at("python")
    })
}

/// Whether a version meets `python = "..."`.
pub(crate) fn check_python(
    wanted: &Specifiers,
    version: &str,
    command: &str,
) -> Result<(), Diagnostic> {
    if Version::from_str(version).is_ok_and(|version| wanted.contains(&version)) {
        return Ok(());
    }
    let message = format!("wants Python `{wanted}`, but `{command}` is Python {version}");
    let help = format!("name an environment whose Python is `{wanted}`, or change `python`");
    Err(Diagnostic::new(Code::PythonVersionMismatch, message, help).at("python"))
}

/// The interpreter that `requires` is held against.
pub(crate) struct Demands<'a> {
    /// What its markers are.
    pub(crate) variables: &'a Variables,
    /// How a person would start it.
    pub(crate) command: &'a str,
    pub(crate) distributions: &'a dyn Distributions,
    /// What to do for a string of `requires`, of which the second requirement is the part that does not hold.
    pub(crate) remedy: &'a dyn Fn(&Requirement, &Requirement) -> String,
}

/// Extras that one requirement may lead to; no real one leads to so many.
const MOST_EXTRAS: usize = 500;

/// A distribution that is there.
struct Found {
    distribution: Distribution,
    /// What it does not depend on, unless for the sake of an extra.
    optional: Vec<Requirement>,
    /// Places in it: of those that count for no other extra, and of those that may count for any.
    named: Map<String, Vec<usize>>,
    unnamed: Vec<usize>,
}

impl Found {
    fn new(distribution: Distribution, optional: Vec<Requirement>) -> Self {
        let mut found = Self {
            distribution,
            optional,
            named: Map::new(),
            unnamed: Vec::new(),
        };
        for (place, part) in found.optional.iter().enumerate() {
            match part.marker.as_ref().and_then(Marker::extras) {
                None => found.unnamed.push(place),
                Some(extras) => {
                    for extra in extras {
                        found.named.or_insert_with(extra, Vec::new).push(place);
                    }
                }
            }
        }
        found
    }

    /// What may count for an extra, in the order of the metadata.
    fn of_extra(&self, extra: &str) -> impl Iterator<Item = &Requirement> {
        let named = self.named.get(extra).into_iter().flatten();
        let places: Set<usize> = named.chain(&self.unnamed).copied().ordered();
        places.into_iter().map(|place| &self.optional[place])
    }
}

impl Demands<'_> {
    /// Everything of `requires` that does not hold, each at its place; what cannot be read was told before.
    pub(crate) fn check(&self, requires: &[String]) -> Vec<Diagnostic> {
        let places = requires.iter().enumerate();
        places
            .flat_map(|(index, text)| {
                let faults = Requirement::parse(text)
                    .map(|requirement| self.check_one(&requirement))
                    .unwrap_or_default();
                let place = move |fault: Diagnostic| fault.at(format!("requires:{index}"));
                faults.into_iter().map(place)
            })
            .collect()
    }

    /// One string of `requires`, and what its extras add to it.
    fn check_one(&self, wanted: &Requirement) -> Vec<Diagnostic> {
        let holds = |marker| self.variables_hold(marker);
        if !wanted.marker.as_ref().is_none_or(holds) {
            return Vec::new();
        }
        let mut faults = Vec::new();
        // The standard library's: a distribution may name any number of others.
        let mut seen = BTreeSet::new();
        // Each is read once, however many extras lead to it.
        let mut known: BTreeMap<String, Option<Found>> = BTreeMap::new();
        let mut extras = 0;
        let mut open = vec![wanted.clone()];
        while let Some(part) = open.pop() {
            let name = normalized(&part.name);
            let found = known
                .entry(name.clone())
                .or_insert_with(|| self.find(&name));
            let distribution = found.as_ref().map(|found| &found.distribution);
            // An extra may come back to the distribution that it belongs to.
            if seen.insert((name.clone(), part.text.clone())) {
                faults.extend(self.fault(wanted, &part, distribution));
            }
            let Some(found) = found else {
                continue;
            };
            for extra in &part.extras {
                if !seen.insert((name.clone(), format!("[{extra}]"))) {
                    continue;
                }
                extras += 1;
                if extras > MOST_EXTRAS {
                    faults.push(self.endless(wanted, &found.distribution, &part));
                    return faults;
                }
                let added = self.added(found, extra);
                let is_known = found
                    .distribution
                    .extras
                    .as_ref()
                    .is_none_or(|known| known.contains(extra));
                // One that a dependency names may have been given up by now, which harms nobody.
                if added.is_empty() && !is_known && part.text == wanted.text {
                    faults.push(self.unknown_extra(wanted, extra, &found.distribution));
                }
                open.extend(added);
            }
        }
        faults
    }

    fn find(&self, name: &str) -> Option<Found> {
        let distribution = self.distributions.find(name)?;
        let requires = distribution.requires.iter();
        let optional = requires
            // One that cannot be read is the distribution's fault, not the declaration's.
            .filter_map(|text| Requirement::parse(text).ok())
            .filter(|part| {
                let marker = part.marker.as_ref();
                marker.is_some_and(|marker| !self.variables_hold(marker))
            })
            .collect();
        Some(Found::new(distribution, optional))
    }

    /// What a distribution depends on for the sake of one of its extras.
    fn added(&self, found: &Found, extra: &str) -> Vec<Requirement> {
        let holds = |part: &&Requirement| {
            let marker = part.marker.as_ref();
            marker.is_some_and(|marker| marker.holds(self.variables, Some(extra)))
        };
        found.of_extra(extra).filter(holds).cloned().collect()
    }

    fn variables_hold(&self, marker: &Marker) -> bool {
        marker.holds(self.variables, None)
    }

    fn fault(
        &self,
        wanted: &Requirement,
        part: &Requirement,
        found: Option<&Distribution>,
    ) -> Option<Diagnostic> {
        let command = self.command;
        let wants = match part.text == wanted.text {
            true => format!("wants `{}`", wanted.text),
            false => format!("wants `{}`, and with it `{}`", wanted.text, part.text),
        };
        let Some(found) = found else {
            return Some(Diagnostic::new(
                Code::RequirementNotInstalled,
                format!("{wants}, which is not installed for `{command}`"),
                (self.remedy)(wanted, part),
            ));
        };
        let (name, version) = (&part.name, &found.version);
        let instead = if !part.allows(version) {
            format!("{name} {version}")
        } else if let Source::Url(url) = &part.source
            && let Some(other) = origin::other(url, found.origin.as_deref()?)
        {
            format!("{name} {version} from `{other}`")
        } else {
            return None;
        };
        Some(Diagnostic::new(
            Code::RequirementNotMet,
            format!("{wants}, but {instead} is installed for `{command}`"),
            (self.remedy)(wanted, part),
        ))
    }

    fn endless(
        &self,
        wanted: &Requirement,
        found: &Distribution,
        part: &Requirement,
    ) -> Diagnostic {
        let (text, name, version) = (&wanted.text, &part.name, &found.version);
        Diagnostic::new(
            Code::RequirementNotMet,
            format!(
                "wants `{text}`, which leads to more than {MOST_EXTRAS} extras, the last of them of {name} {version}"
            ),
            (self.remedy)(wanted, part),
        )
    }

    fn unknown_extra(&self, wanted: &Requirement, extra: &str, found: &Distribution) -> Diagnostic {
        let (text, name, version) = (&wanted.text, &wanted.name, &found.version);
        let help = match found.extras.as_deref().unwrap_or_default() {
            [] => format!("it has none: write `{name}` without an extra"),
            known => format!("it has {}", known.join(", ")),
        };
        Diagnostic::new(
            Code::RequirementExtraUnknown,
            format!("wants `{text}`, but {name} {version} has no extra `{extra}`"),
            help,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_python_outside_the_specifier_is_refused_and_a_broken_specifier_is_named() {
        let check = |wanted, version| check_python(&specifiers(wanted)?, version, "python3");
        assert!(check(">=3.11,<3.14", "3.12.1").is_ok());
        let older = check(">=3.11", "3.9.1").unwrap_err();
        assert!(older.is(Code::PythonVersionMismatch), "{older:?}");
        let broken = check("three", "3.9.1").unwrap_err();
        assert!(broken.is(Code::RequirementInvalid), "{broken:?}");
        for (slip, meant) in [
            ("3.11", "==3.11.*"),
            ("3.11.4", "==3.11.4"),
            ("=>3.11", ">=3.11"),
        ] {
            let broken = specifiers(slip).unwrap_err();
            assert_eq!(broken.help(), format!("did you mean `{meant}`?"));
        }
        for (slip, why) in [
            (">3.11,<", "there is no version behind `<`"),
            (">=3.11,", "there is nothing beside a comma"),
        ] {
            let broken = specifiers(slip).unwrap_err();
            assert!(broken.message().ends_with(why), "{broken:?}");
        }
    }

    /// Distributions by name.
    struct Shelf(Map<&'static str, Distribution>);

    impl Distributions for Shelf {
        fn find(&self, name: &str) -> Option<Distribution> {
            self.0.get(normalized(name).as_str()).cloned()
        }
    }

    fn shelf(headers: &[(&'static str, &str)]) -> Shelf {
        let read = |text| crate::distribution::parsed(text).unwrap();
        Shelf(
            headers
                .iter()
                .map(|(name, text)| (*name, read(text)))
                .ordered(),
        )
    }

    /// Codes and messages of what does not hold on a Linux machine.
    fn faults(shelf: &Shelf, text: &str) -> Vec<(String, String)> {
        let variables = Variables::from([
            ("sys_platform".to_owned(), "linux".to_owned()),
            ("python_version".to_owned(), "3.12".to_owned()),
        ]);
        let demands = Demands {
            variables: &variables,
            command: "python3",
            distributions: shelf,
            remedy: &|wanted, part| format!("{} for {}", part.text, wanted.text),
        };
        let faults = demands.check(&[text.to_owned()]).into_iter();
        faults
            .map(|fault| (fault.code().to_owned(), fault.message().to_owned()))
            .collect()
    }

    #[test]
    fn a_requirement_whose_marker_is_false_is_not_demanded() {
        let shelf = shelf(&[]);
        assert!(faults(&shelf, "absent; sys_platform == 'win32'").is_empty());
        let [(code, message)] = &faults(&shelf, "absent; sys_platform == 'linux'")[..] else {
            panic!();
        };
        assert_eq!(code, "requirement_not_installed");
        assert_eq!(
            message,
            "wants `absent`, which is not installed for `python3`"
        );
    }

    #[test]
    fn an_extra_demands_what_the_distribution_needs_for_it_each_by_its_own_name() {
        let shelf = shelf(&[
            (
                "demo",
                "Version: 1.0\n\
                 Provides-Extra: fast\n\
                 Provides-Extra: all\n\
                 Provides-Extra: empty\n\
                 Requires-Dist: always-there\n\
                 Requires-Dist: old>=2; extra == 'fast'\n\
                 Requires-Dist: absent (>=1); extra == 'fast' and python_version >= '3'\n\
                 Requires-Dist: elsewhere; extra == 'fast' and sys_platform == 'win32'\n\
                 Requires-Dist: demo[fast,all]; extra == 'all'\n",
            ),
            ("old", "Version: 1.5\n"),
        ]);
        let wanted = [
            (
                "requirement_not_installed",
                "and with it `absent (>=1)`, which is not installed",
            ),
            (
                "requirement_not_met",
                "and with it `old>=2`, but old 1.5 is installed",
            ),
        ];
        for text in ["demo[fast]", "Demo[all]>=1"] {
            let found = faults(&shelf, text);
            assert_eq!(found.len(), 2, "{found:?}");
            for ((code, message), (wanted, part)) in found.iter().zip(wanted) {
                assert_eq!(code, wanted);
                assert!(message.contains(part), "{message}");
            }
        }
        assert!(faults(&shelf, "demo[empty]").is_empty());
        assert_eq!(
            faults(&shelf, "demo[fsat]"),
            [(
                "requirement_extra_unknown".to_owned(),
                "wants `demo[fsat]`, but demo 1.0 has no extra `fsat`".to_owned()
            )]
        );
    }

    #[test]
    fn extras_that_lead_to_others_without_end_are_a_fault_and_not_followed() {
        let chain =
            (0..20_000).map(|n| format!("Requires-Dist: demo[e{}]; extra == 'e{n}'\n", n + 1));
        let headers = format!("Version: 1.0\n{}", chain.collect::<String>());
        let shelf = shelf(&[("demo", &headers)]);
        let [(code, message)] = &faults(&shelf, "demo[e0]")[..] else {
            panic!();
        };
        assert_eq!(code, "requirement_not_met");
        assert!(message.contains("more than 500 extras"), "{message}");
    }

    #[test]
    fn an_address_is_compared_where_the_installation_wrote_one_down() {
        let mut shelf = shelf(&[("demo", "Version: 1.0\n")]);
        let text = "demo @ https://host/demo.whl";
        assert!(faults(&shelf, text).is_empty());
        shelf.0.get_mut("demo").unwrap().origin =
            Some(r#"{"url": "https://host/other.whl", "archive_info": {}}"#.to_owned());
        let [(code, message)] = &faults(&shelf, text)[..] else {
            panic!();
        };
        assert_eq!(code, "requirement_not_met");
        assert!(
            message.contains("demo 1.0 from `https://host/other.whl`"),
            "{message}"
        );
    }
}
