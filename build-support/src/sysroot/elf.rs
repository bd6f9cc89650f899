//! What a program is made for: the start of an ELF file. <https://refspecs.linuxfoundation.org/elf/gabi4+/ch4.eheader.html>

use std::fmt;

use super::Target;

/// The bytes that are read: those up to the machine.
pub(super) const LENGTH: u64 = 20;

/// Machines by Cargo's name; `uname -m` may say more of some.
const MACHINES: [(u16, &str, &str); 13] = [
    (3, "x86", "i686"),
    (8, "mips", "mips"),
    (8, "mips64", "mips64"),
    (20, "powerpc", "ppc"),
    (21, "powerpc64", "ppc64"),
    (22, "s390x", "s390x"),
    (40, "arm", "armv7l"),
    (43, "sparc64", "sparc64"),
    (62, "x86_64", "x86_64"),
    (183, "aarch64", "aarch64"),
    (243, "riscv64", "riscv64"),
    (243, "riscv32", "riscv32"),
    (258, "loongarch64", "loongarch64"),
];

/// What a program is made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    bits: u32,
    is_little_endian: bool,
    machine: u16,
}

/// The shape of the program that begins with these bytes; `None` if it is no ELF program.
pub fn shape(start: &[u8]) -> Option<Shape> {
    let (magic, rest) = start.split_at_checked(4)?;
    if magic != b"\x7fELF" {
        return None;
    }
    let bits = match rest.first()? {
        1 => 32,
        2 => 64,
        _ => return None,
    };
    let is_little_endian = match rest.get(1)? {
        1 => true,
        2 => false,
        _ => return None,
    };
    let machine: [u8; 2] = start.get(18..20)?.try_into().ok()?;
    let machine = match is_little_endian {
        true => u16::from_le_bytes(machine),
        false => u16::from_be_bytes(machine),
    };
    Some(Shape {
        bits,
        is_little_endian,
        machine,
    })
}

impl Shape {
    /// Whether a program of the target can be of this shape.
    pub(super) fn fits(self, target: &Target) -> bool {
        let mut machines = MACHINES.iter();
        let is_machine = machines
            .any(|(machine, arch, _)| *machine == self.machine && target.arch.starts_with(arch));
        is_machine
            && self.bits == target.pointer_width
            && self.is_little_endian == target.is_little_endian
    }

    /// What `uname -m` says on such a machine.
    pub(super) fn uname(self) -> &'static str {
        let name = match (self.machine, self.bits, self.is_little_endian) {
            (21, _, true) => Some("ppc64le"),
            (8, 64, _) => Some("mips64"),
            (243, 32, _) => Some("riscv32"),
            _ => None,
        };
        let mut machines = MACHINES.iter();
        let known = machines.find(|(machine, ..)| *machine == self.machine);
        name.or(known.map(|(_, _, uname)| *uname))
            .unwrap_or_default()
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut machines = MACHINES.iter();
        let known = machines.find(|(machine, ..)| *machine == self.machine);
        match known {
            Some((_, arch, _)) => write!(f, "{arch}")?,
            None => write!(f, "the ELF machine {}", self.machine)?,
        }
        write!(
            f,
            " ({} bits, {})",
            self.bits,
            endian(self.is_little_endian)
        )
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let endian = endian(self.is_little_endian);
        write!(f, "{} ({} bits, {endian})", self.arch, self.pointer_width)
    }
}

fn endian(is_little: bool) -> &'static str {
    if is_little {
        "little endian"
    } else {
        "big endian"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(class: u8, data: u8, machine: [u8; 2]) -> Vec<u8> {
        let mut bytes = vec![0x7f, b'E', b'L', b'F', class, data, 1];
        bytes.resize(18, 0);
        bytes.extend(machine);
        bytes
    }

    fn target(arch: &str, pointer_width: u32, is_little_endian: bool) -> Target {
        let arch = arch.to_owned();
        Target {
            arch,
            pointer_width,
            is_little_endian,
        }
    }

    #[test]
    fn a_program_fits_the_machine_that_it_is_made_for() {
        let arm = shape(&header(2, 1, [183, 0])).unwrap();
        assert_eq!(arm.to_string(), "aarch64 (64 bits, little endian)");
        assert_eq!(arm.uname(), "aarch64");
        assert!(arm.fits(&target("aarch64", 64, true)));
        assert!(!arm.fits(&target("x86_64", 64, true)));
        assert!(!arm.fits(&target("aarch64", 32, true)));
        assert!(!arm.fits(&target("aarch64", 64, false)));
        let s390x = shape(&header(2, 2, [0, 22])).unwrap();
        assert!(s390x.fits(&target("s390x", 64, false)));
        let power = shape(&header(2, 1, [21, 0])).unwrap();
        assert!(power.fits(&target("powerpc64", 64, true)) && power.uname() == "ppc64le");
        let riscv = shape(&header(2, 1, [243, 0])).unwrap();
        assert!(
            riscv.fits(&target("riscv64", 64, true)) && !riscv.fits(&target("riscv32", 32, true))
        );
        let unknown = shape(&header(1, 1, [0, 9])).unwrap();
        assert_eq!(
            unknown.to_string(),
            "the ELF machine 2304 (32 bits, little endian)"
        );
        // This test runs on what it was built for.
        let own = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        let shape = shape(&own).unwrap();
        assert!(shape.fits(&Target::of(&|_| None)), "{shape}");
    }

    #[test]
    fn what_is_no_elf_program_has_no_shape() {
        let whole = header(2, 1, [62, 0]);
        for length in 0..20 {
            assert_eq!(shape(&whole[..length]), None);
        }
        assert!(shape(b"#!/bin/sh\nexec python3 \"$@\"\n").is_none());
        assert!(shape(&header(3, 1, [62, 0])).is_none());
        assert!(shape(&header(2, 0, [62, 0])).is_none());
    }
}
