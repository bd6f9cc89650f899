//! A word that is not known: the nearest one that is, and all of them.

use proc_macro2::Span;

use super::mistake::Mistake;
use crate::catalogue::Code;

/// The mistake of a word that is none of the known ones.
pub(super) fn unknown<'a>(
    span: Span,
    code: Code,
    message: &str,
    found: &str,
    known: impl Iterator<Item = &'a str> + Clone,
) -> Mistake {
    let hint = hint(nearest(found, known.clone()));
    let known: Vec<&str> = known.collect();
    let help = if known.is_empty() {
        "none is known".to_owned()
    } else {
        format!("{hint}known are {}", known.join(", "))
    };
    Mistake::at(span, code, message, help)
}

/// What a help begins with where a name comes near.
pub fn hint(near: Option<&str>) -> String {
    near.map_or_else(String::new, |near| format!("did you mean `{near}`? "))
}

/// The known name that is at most two changes away, else the only one that has the found one as a word of it.
pub fn nearest<'a>(found: &str, known: impl Iterator<Item = &'a str> + Clone) -> Option<&'a str> {
    let close = known
        .clone()
        .map(|name| (distance(found, name), name))
        .min()
        .filter(|(distance, _)| *distance <= 2);
    let mut longer = known.filter(|name| name.split('_').any(|word| word == found));
    close
        .map(|(_, name)| name)
        .or_else(|| longer.next().filter(|_| longer.next().is_none()))
}

/// The Levenshtein distance.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let cost = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = cost.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}
