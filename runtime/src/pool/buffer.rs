//! Bytes and arrays that travel beside the JSON.

use std::fmt;

use bytemuck::{Pod, PodCastError, try_cast_slice};
use bytes::Bytes;

/// Bytes or an array, in the arguments or the answer of a tool. It travels beside the JSON, as it lies in memory; a
/// large one goes to a worker on this machine through shared memory.
///
/// It may stand anywhere in what is sent or received, beside other values. In Python, bytes arrive as `bytes`, and an
/// array as a `numpy.ndarray` if the adapter has imported numpy, else as a `memoryview`. What a tool returns as
/// `bytes`, `bytearray`, `memoryview`, `array.array` or `numpy.ndarray`, and anything else with the buffer protocol,
/// arrives as a `Buffer`. A clone is cheap: it shares the memory.
///
/// ```no_run
/// # async fn f(pool: snakepit::Pool) -> Result<(), Box<dyn std::error::Error>> {
/// use snakepit::Buffer;
///
/// #[derive(serde::Serialize)]
/// struct Image<'a> {
///     name: &'a str,
///     pixels: Buffer,
/// }
///
/// let pixels = Buffer::from_slice(&[0.0_f32; 6]).with_shape(&[2, 3])?;
/// let answer: Buffer = pool.execute("blur", &Image { name: "a.png", pixels }).await?;
/// assert_eq!(answer.shape(), [2, 3]);
/// let blurred: &[f32] = answer.as_slice()?;
/// # let _ = blurred;
/// # Ok(())
/// # }
/// ```
///
/// With the crate `ndarray` it is `ArrayViewD::from_shape(buffer.shape(), buffer.as_slice::<f32>()?)`. The macro
/// `json!` cannot hold one: it makes a value of JSON alone.
#[derive(Clone, PartialEq)]
pub struct Buffer {
    dtype: DType,
    shape: Vec<usize>,
    bytes: Bytes,
}

/// What the elements of a [`Buffer`] are, all little-endian.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DType {
    /// No array but bytes: `bytes` in Python.
    Bytes,
    /// A byte that is 0 or 1.
    Bool,
    /// `i8`.
    I8,
    /// `i16`.
    I16,
    /// `i32`.
    I32,
    /// `i64`.
    I64,
    /// `u8`.
    U8,
    /// `u16`.
    U16,
    /// `u32`.
    U32,
    /// `u64`.
    U64,
    /// A floating-point number of two bytes.
    F16,
    /// `f32`.
    F32,
    /// `f64`.
    F64,
    /// Two `f32`: the real and the imaginary part.
    C64,
    /// Two `f64`: the real and the imaginary part.
    C128,
}

impl DType {
    const ALL: [(Self, &'static str, usize); 15] = [
        (Self::Bytes, "bytes", 1),
        (Self::Bool, "|b1", 1),
        (Self::I8, "|i1", 1),
        (Self::I16, "<i2", 2),
        (Self::I32, "<i4", 4),
        (Self::I64, "<i8", 8),
        (Self::U8, "|u1", 1),
        (Self::U16, "<u2", 2),
        (Self::U32, "<u4", 4),
        (Self::U64, "<u8", 8),
        (Self::F16, "<f2", 2),
        (Self::F32, "<f4", 4),
        (Self::F64, "<f8", 8),
        (Self::C64, "<c8", 8),
        (Self::C128, "<c16", 16),
    ];

    fn entry(self) -> (Self, &'static str, usize) {
        let entry = Self::ALL.into_iter().find(|(dtype, ..)| *dtype == self);
        entry.expect("all of them are in the table")
    }

    /// Bytes of one element.
    pub fn size(self) -> usize {
        self.entry().2
    }

    /// As numpy writes it, such as `<f4`; `bytes` for what is no array.
    pub fn name(self) -> &'static str {
        self.entry().1
    }

    pub(super) fn from_name(name: &str) -> Option<Self> {
        let mut all = Self::ALL.into_iter();
        all.find(|entry| entry.1 == name).map(|entry| entry.0)
    }
}

/// What an array may consist of, on the Rust side.
pub trait Element: Pod + Send + Sync {
    /// The elements of arrays made of it.
    const DTYPE: DType;
}

macro_rules! elements {
    ($($element:ty => $dtype:ident,)*) => {$(
        impl Element for $element {
            const DTYPE: DType = DType::$dtype;
        }
    )*};
}

elements! {
    i8 => I8, i16 => I16, i32 => I32, i64 => I64,
    u8 => U8, u16 => U16, u32 => U32, u64 => U64,
    f32 => F32, f64 => F64, [f32; 2] => C64, [f64; 2] => C128,
}

/// Why the bytes of a [`Buffer`] are not what they were asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum BufferError {
    /// Its elements are of another type.
    Type {
        /// The type that was asked for.
        wanted: DType,
        /// Its own.
        found: DType,
    },
    /// Its length is not that of the shape.
    Shape {
        /// The shape that was asked for.
        shape: Vec<usize>,
        /// Bytes of one element.
        size: usize,
        /// Bytes that are there.
        bytes: usize,
    },
    /// They lie where no such element may lie; [`Buffer::to_vec`] copies them.
    Alignment {
        /// The type that was asked for.
        wanted: DType,
    },
}

impl fmt::Display for BufferError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Type { wanted, found } => write!(
                f,
                "the buffer holds elements of type `{}`, not `{}`",
                found.name(),
                wanted.name()
            ),
            Self::Shape { shape, size, bytes } => write!(
                f,
                "{bytes} bytes are no array of shape {shape:?} with elements of {size} bytes"
            ),
            Self::Alignment { wanted } => write!(
                f,
                "the buffer is not aligned for elements of type `{}`: `to_vec` copies them",
                wanted.name()
            ),
        }
    }
}

impl std::error::Error for BufferError {}

/// Elements as the bytes that they are.
pub(super) struct Elements<T>(pub(super) Vec<T>);

impl<T: Pod> AsRef<[u8]> for Elements<T> {
    fn as_ref(&self) -> &[u8] {
        bytemuck::cast_slice(&self.0)
    }
}

impl Buffer {
    /// A one-dimensional array, copied.
    pub fn from_slice<T: Element>(elements: &[T]) -> Self {
        Self::from_vec(elements.to_vec())
    }

    /// A one-dimensional array, not copied.
    pub fn from_vec<T: Element>(elements: Vec<T>) -> Self {
        let shape = vec![elements.len()];
        let bytes = Bytes::from_owner(Elements(elements));
        Self::raw(T::DTYPE, shape, bytes)
    }

    /// Bytes: `bytes` in Python. Neither a `Vec<u8>` nor [`bytes::Bytes`] is copied.
    pub fn from_bytes(bytes: impl Into<Bytes>) -> Self {
        let bytes = bytes.into();
        Self::raw(DType::Bytes, vec![bytes.len()], bytes)
    }

    /// An array of any type, from its bytes.
    ///
    /// # Errors
    /// [`BufferError::Shape`].
    pub fn new(
        dtype: DType,
        shape: &[usize],
        bytes: impl Into<Bytes>,
    ) -> Result<Self, BufferError> {
        let bytes = bytes.into();
        fits(dtype, shape, bytes.len())?;
        Ok(Self::raw(dtype, shape.to_vec(), bytes))
    }

    fn raw(dtype: DType, shape: Vec<usize>, bytes: Bytes) -> Self {
        Self {
            dtype,
            shape,
            bytes,
        }
    }

    /// The same elements in another shape, in row-major order.
    ///
    /// # Errors
    /// [`BufferError::Shape`].
    pub fn with_shape(mut self, shape: &[usize]) -> Result<Self, BufferError> {
        fits(self.dtype, shape, self.bytes.len())?;
        self.shape = shape.to_vec();
        Ok(self)
    }

    /// What its elements are.
    pub fn dtype(&self) -> DType {
        self.dtype
    }

    /// Its length in each dimension, the outermost first; of bytes, how many there are.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// Its elements in row-major order.
    ///
    /// # Errors
    /// [`BufferError::Type`]; bytes are also a slice of `u8`. What came from a worker is aligned, and so is what was
    /// made of a slice or vector: elsewhere [`BufferError::Alignment`].
    pub fn as_slice<T: Element>(&self) -> Result<&[T], BufferError> {
        self.check::<T>()?;
        try_cast_slice(&self.bytes).map_err(|error| match error {
            PodCastError::TargetAlignmentGreaterAndInputNotAligned => {
                BufferError::Alignment { wanted: T::DTYPE }
            }
            _ => BufferError::Shape {
                shape: self.shape.clone(),
                size: size_of::<T>(),
                bytes: self.bytes.len(),
            },
        })
    }

    /// A copy of its elements in row-major order.
    ///
    /// # Errors
    /// [`BufferError::Type`]; bytes are also a vector of `u8`.
    pub fn to_vec<T: Element>(&self) -> Result<Vec<T>, BufferError> {
        self.check::<T>()?;
        let mut elements = vec![T::zeroed(); self.bytes.len() / size_of::<T>()];
        let room = bytemuck::cast_slice_mut(&mut elements);
        room.copy_from_slice(&self.bytes);
        Ok(elements)
    }

    fn check<T: Element>(&self) -> Result<(), BufferError> {
        let (wanted, found) = (T::DTYPE, self.dtype);
        if wanted == found || (wanted, found) == (DType::U8, DType::Bytes) {
            Ok(())
        } else {
            Err(BufferError::Type { wanted, found })
        }
    }

    /// Its bytes as they lie in memory.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Its bytes as they lie in memory, not copied.
    pub fn into_bytes(self) -> Bytes {
        self.bytes
    }

    pub(super) fn bytes(&self) -> &Bytes {
        &self.bytes
    }
}

pub(super) fn fits(dtype: DType, shape: &[usize], bytes: usize) -> Result<(), BufferError> {
    let size = dtype.size();
    let wanted = shape
        .iter()
        .try_fold(size, |product, length| product.checked_mul(*length));
    let flat = dtype != DType::Bytes || shape.len() == 1;
    if wanted == Some(bytes) && flat {
        Ok(())
    } else {
        Err(BufferError::Shape {
            shape: shape.to_vec(),
            size,
            bytes,
        })
    }
}

impl fmt::Debug for Buffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Buffer")
            .field("dtype", &self.dtype)
            .field("shape", &self.shape)
            .finish_non_exhaustive()
    }
}

impl From<Vec<u8>> for Buffer {
    fn from(bytes: Vec<u8>) -> Self {
        Self::from_bytes(bytes)
    }
}

impl From<Bytes> for Buffer {
    fn from(bytes: Bytes) -> Self {
        Self::from_bytes(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_come_back_as_what_they_are_and_as_nothing_else() {
        let buffer = Buffer::from_slice(&[1.5_f32, -2.0, 0.0, 4.0]);
        assert_eq!(buffer.shape(), [4]);
        assert_eq!(buffer.as_slice::<f32>().unwrap(), [1.5, -2.0, 0.0, 4.0]);
        let wrong = buffer.as_slice::<i32>().unwrap_err();
        assert_eq!(
            wrong.to_string(),
            "the buffer holds elements of type `<f4`, not `<i4`"
        );
        let square = buffer.clone().with_shape(&[2, 2]).unwrap();
        assert_eq!(square.shape(), [2, 2]);
        assert!(buffer.with_shape(&[3, 2]).is_err());
    }

    #[test]
    fn bytes_that_lie_askew_are_copied_and_never_cast() {
        let bytes = Bytes::from_owner(Elements(vec![0_u64, 1]));
        let askew = Buffer::new(DType::F64, &[1], bytes.slice(1..9)).unwrap();
        assert_eq!(
            askew.as_slice::<f64>(),
            Err(BufferError::Alignment { wanted: DType::F64 })
        );
        assert_eq!(askew.to_vec::<f64>().unwrap().len(), 1);
        assert!(Buffer::new(DType::F64, &[usize::MAX, 2], bytes).is_err());
    }
}
