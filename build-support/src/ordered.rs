//! Maps and sets in the order of their keys, as sorted lists. The standard library's trees are made for more entries
//! than come together here, and the compiler makes each anew for every pair of types: with them this crate was a third
//! longer to compile, which the first build of every program waits for. They stay where a public type has one, and where
//! a file may bring any number of entries in any order: each of them moves those behind it here.

use std::borrow::Borrow;

/// Values by their keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Map<K, V>(Vec<(K, V)>);

impl<K: Ord, V> Map<K, V> {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        let place = self.place(key).ok()?;
        Some(&self.0[place].1)
    }

    pub(crate) fn get_mut<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
    {
        let place = self.place(key).ok()?;
        Some(&mut self.0[place].1)
    }

    pub(crate) fn contains_key<Q: Ord + ?Sized>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.place(key).is_ok()
    }

    /// The value that it had before.
    pub(crate) fn insert(&mut self, key: K, value: V) -> Option<V> {
        match self.place(&key) {
            Ok(place) => Some(std::mem::replace(&mut self.0[place].1, value)),
            Err(place) => {
                self.0.insert(place, (key, value));
                None
            }
        }
    }

    /// The value of a key; a new one where there is none.
    pub(crate) fn or_insert_with(&mut self, key: K, new: impl FnOnce() -> V) -> &mut V {
        let place = self.place(&key).unwrap_or_else(|place| {
            self.0.insert(place, (key, new()));
            place
        });
        &mut self.0[place].1
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.0.iter().map(|(key, value)| (key, value))
    }

    pub(crate) fn keys(&self) -> impl Iterator<Item = &K> {
        self.0.iter().map(|(key, _)| key)
    }

    pub(crate) fn values(&self) -> impl Iterator<Item = &V> {
        self.0.iter().map(|(_, value)| value)
    }

    fn place<Q: Ord + ?Sized>(&self, key: &Q) -> Result<usize, usize>
    where
        K: Borrow<Q>,
    {
        self.0
            .binary_search_by(|(known, _)| known.borrow().cmp(key))
    }
}

impl<K, V> Default for Map<K, V> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<K: Ord, V> Extend<(K, V)> for Map<K, V> {
    fn extend<I: IntoIterator<Item = (K, V)>>(&mut self, more: I) {
        for (key, value) in more {
            self.insert(key, value);
        }
    }
}

impl<K, V> IntoIterator for Map<K, V> {
    type Item = (K, V);
    type IntoIter = std::vec::IntoIter<(K, V)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

/// Items without another that is equal.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Set<T>(Vec<T>);

impl<T: Ord> Set<T> {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Whether it was not there.
    pub(crate) fn insert(&mut self, item: T) -> bool {
        let place = self.0.binary_search(&item);
        if let Err(place) = place {
            self.0.insert(place, item);
        }
        place.is_err()
    }

    pub(crate) fn contains<Q: Ord + ?Sized>(&self, item: &Q) -> bool
    where
        T: Borrow<Q>,
    {
        let place = self.0.binary_search_by(|known| known.borrow().cmp(item));
        place.is_ok()
    }
}

impl<T> Default for Set<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> std::ops::Deref for Set<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<'a, T> IntoIterator for &'a Set<T> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl<T: Ord> Extend<T> for Set<T> {
    fn extend<I: IntoIterator<Item = T>>(&mut self, more: I) {
        for item in more {
            self.insert(item);
        }
    }
}

impl<T> IntoIterator for Set<T> {
    type Item = T;
    type IntoIter = std::vec::IntoIter<T>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

/// `collect` for what has keys, entry by entry: that of the standard library sorts first, with a sort that the compiler
/// makes anew for every iterator.
pub(crate) trait Ordered: Iterator + Sized {
    fn ordered<C: Default + Extend<Self::Item>>(self) -> C {
        let mut all = C::default();
        all.extend(self);
        all
    }
}

impl<I: Iterator> Ordered for I {}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;

    /// Numbers in no order, some of them again and again.
    fn numbers() -> impl Iterator<Item = u32> {
        (1..500_u32).map(|number| number.wrapping_mul(2_654_435_761) % 97)
    }

    #[test]
    fn a_map_is_one_of_the_standard_library() {
        let (mut map, mut wanted) = (Map::new(), BTreeMap::new());
        for (value, key) in numbers().enumerate() {
            assert_eq!(map.contains_key(&key), wanted.contains_key(&key));
            match value % 3 {
                0 => {
                    let own = map.or_insert_with(key, || value);
                    assert_eq!(own, wanted.entry(key).or_insert(value));
                }
                _ => assert_eq!(map.insert(key, value), wanted.insert(key, value)),
            }
            assert_eq!(map.get(&key), wanted.get(&key));
            assert_eq!(map.get_mut(&(key + 1)), wanted.get_mut(&(key + 1)));
        }
        assert!(map.iter().eq(&wanted));
        assert!(map.keys().eq(wanted.keys()) && map.values().eq(wanted.values()));
        let again: Map<u32, usize> = wanted.clone().into_iter().ordered();
        assert_eq!(again, map);
        assert!(map.into_iter().eq(wanted));
    }

    #[test]
    fn a_set_is_one_of_the_standard_library() {
        let (mut set, mut wanted) = (Set::new(), BTreeSet::new());
        for item in numbers() {
            assert_eq!(set.contains(&item), wanted.contains(&item));
            assert_eq!(set.insert(item), wanted.insert(item));
        }
        assert!(set.iter().eq(&wanted));
        let again: Set<u32> = numbers().ordered();
        assert_eq!(again, set);
        assert!(set.into_iter().eq(wanted));
    }
}
