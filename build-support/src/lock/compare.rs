//! Two locks, fact by fact.

use std::collections::BTreeMap;
use std::fmt;

use super::text::shown;
use crate::document::Table;
use crate::json::Value;
use crate::ordered::{Map, Ordered, Set};

/// One fact that is not the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The pool, as the lock names it: `AppConfig.ml`.
    pub pool: String,
    /// The fact: `metadata.python_version`, `fingerprint.distributions.numpy`, or `pool` for all of it.
    pub fact: String,
    /// What the lock says, if it says anything.
    pub locked: Option<String>,
    /// What is here, if there is anything.
    pub found: Option<String>,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            fact,
            locked,
            found,
            ..
        } = self;
        match (locked, found) {
            (Some(locked), Some(found)) => {
                write!(f, "{fact}: the lock says `{locked}`, here is `{found}`")
            }
            (Some(locked), None) => write!(f, "{fact}: the lock says `{locked}`, here is nothing"),
            (None, Some(found)) => write!(f, "{fact}: the lock says nothing, here is `{found}`"),
            (None, None) => write!(f, "{fact}: in another order"),
        }
    }
}

/// The differences of one pool.
pub(super) fn compare(pool: &str, locked: &Table, found: &Table) -> Vec<Difference> {
    if locked == found {
        return Vec::new();
    }
    let (locked, found) = (Flat::of(locked), Flat::of(found));
    let mut differences = Vec::new();
    let facts = locked.values.keys().chain(found.values.keys());
    let facts: Set<&String> = facts.ordered();
    for fact in facts {
        let (before, now) = (locked.values.get(fact), found.values.get(fact));
        if before == now {
            continue;
        }
        let (before, now) = match (before, now) {
            (Some(before), Some(now)) => lines(before, now),
            (before, now) => (before.cloned(), now.cloned()),
        };
        differences.push(Difference {
            pool: pool.to_owned(),
            fact: fact.clone(),
            locked: before,
            found: now,
        });
    }
    for (fact, order) in locked.orders.iter() {
        let told = |difference: &Difference| difference.fact.starts_with(fact.as_str());
        if found.orders.get(fact).is_some_and(|now| now != order) && !differences.iter().any(told) {
            differences.push(Difference {
                pool: pool.to_owned(),
                fact: fact.clone(),
                locked: None,
                found: None,
            });
        }
    }
    differences
}

/// Of two texts of several lines the first that is not the same.
fn lines(before: &str, now: &str) -> (Option<String>, Option<String>) {
    if !before.contains('\n') && !now.contains('\n') {
        return (Some(before.to_owned()), Some(now.to_owned()));
    }
    let (mut one, mut other) = (before.split('\n'), now.split('\n'));
    loop {
        match (one.next(), other.next()) {
            (None, None) => return (Some(before.to_owned()), Some(now.to_owned())),
            (before, now) if before == now => {}
            (before, now) => return (before.map(str::to_owned), now.map(str::to_owned)),
        }
    }
}

/// The facts of a pool, each under a name of its own. Items of lists are named after what they are about, so that one
/// that comes before others does not make them differ.
#[derive(Default)]
struct Flat {
    /// In the standard library's map: an adapter may have any number of tools.
    values: BTreeMap<String, String>,
    /// The items of each list, in its order.
    orders: Map<String, Vec<String>>,
}

impl Flat {
    fn of(table: &Table) -> Self {
        let mut flat = Self::default();
        flat.table("", table);
        flat
    }

    fn table(&mut self, path: &str, table: &Table) {
        for (name, value) in table {
            let path = match path {
                "" => name.clone(),
                path => format!("{path}.{name}"),
            };
            self.value(path, value);
        }
    }

    fn value(&mut self, path: String, value: &Value) {
        match value {
            Value::Null => {}
            Value::Object(table) => self.table(&path, table),
            Value::Array(items) => {
                let mut order = Vec::new();
                for item in items {
                    let mut name = match about(item) {
                        Some(about) => format!("{path}.{about}"),
                        None => format!("{path}[{}]", shown(item)),
                    };
                    while order.contains(&name) {
                        name.push('+');
                    }
                    order.push(name.clone());
                    match item {
                        Value::Object(_) => self.value(name, item),
                        other => _ = self.values.insert(name, shown(other)),
                    }
                }
                self.orders.insert(path, order);
            }
            other => _ = self.values.insert(path, shown(other)),
        }
    }
}

/// What an item of a list is about: its path or its name.
fn about(item: &Value) -> Option<&str> {
    let table = item.as_object()?;
    let own = ["path", "name"].into_iter().find_map(|key| table.get(key));
    match own {
        Some(own) => own.as_str(),
        // A variant: `{ Set = { name = "A", ... } }`.
        None => about(table.values().next()?),
    }
}

#[cfg(test)]
mod tests {
    use crate::json::json;

    use super::*;

    fn compared(locked: Value, found: Value) -> Vec<String> {
        let differences = compare(
            "C.ml",
            locked.as_object().unwrap(),
            found.as_object().unwrap(),
        );
        differences.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn every_fact_that_differs_is_told_and_no_other() {
        let locked = json!({
            "command": "/a", "metadata": {"python_version": "3.12.1", "same": "x"}, "args": ["run", "python"],
            "env": [{"Set": {"name": "A", "value": "1"}}, {"Unset": {"name": "B"}}],
            "checks": [{"Content": {"path": "/p", "text": "home = /x\nversion = 1\n"}}],
            "fingerprint": {"distributions": {"numpy": "2.1", "six": "1"}},
        });
        let found = json!({
            "command": "/a", "metadata": {"python_version": "3.12.2", "same": "x"}, "args": ["run", "-q", "python"],
            "env": [{"Set": {"name": "C", "value": "0"}}, {"Set": {"name": "A", "value": "2"}}, {"Unset": {"name": "B"}}],
            "checks": [{"Content": {"path": "/p", "text": "home = /x\nversion = 2\n"}}],
            "fingerprint": {"distributions": {"numpy": "2.2", "attrs": "1"}},
        });
        let wanted = [
            "args[-q]: the lock says nothing, here is `-q`",
            "checks./p.Content.text: the lock says `version = 1`, here is `version = 2`",
            "env.A.Set.value: the lock says `1`, here is `2`",
            "env.C.Set.name: the lock says nothing, here is `C`",
            "env.C.Set.value: the lock says nothing, here is `0`",
            "fingerprint.distributions.attrs: the lock says nothing, here is `1`",
            "fingerprint.distributions.numpy: the lock says `2.1`, here is `2.2`",
            "fingerprint.distributions.six: the lock says `1`, here is nothing",
            "metadata.python_version: the lock says `3.12.1`, here is `3.12.2`",
        ];
        assert_eq!(compared(locked.clone(), found), wanted);
        assert!(compared(locked.clone(), locked).is_empty());
    }

    #[test]
    fn the_order_of_a_list_is_a_fact() {
        let (one, other) = (json!({"args": ["a", "b"]}), json!({"args": ["b", "a"]}));
        assert_eq!(compared(one, other), ["args: in another order"]);
    }
}
