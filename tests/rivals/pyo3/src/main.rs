use pyo3::prelude::*;

fn main() -> PyResult<()> {
    Python::attach(|python| {
        let prefix: String = python.import("sys")?.getattr("prefix")?.extract()?;
        println!("{prefix}");
        Ok(())
    })
}
