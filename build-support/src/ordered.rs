//! Maps and sets of the standard library, filled entry by entry.
//!
//! Their `collect` sorts before it builds, with a sort that the compiler makes anew for every iterator: for the few
//! entries here it gains nothing, and it was a tenth of what this crate adds to the first build of every program.

/// `collect` for what has keys.
pub(crate) trait Ordered: Iterator + Sized {
    fn ordered<C: Default + Extend<Self::Item>>(self) -> C {
        let mut all = C::default();
        all.extend(self);
        all
    }
}

impl<I: Iterator> Ordered for I {}
