//! Time and memory of reading a large table, without anything done to its cells.

use std::time::Instant;

use super::*;

/// Peak resident memory of this process in kB, where the system tells.
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?
        .trim()
        .strip_suffix(" kB")?
        .trim()
        .parse()
        .ok()
}

#[test]
#[ignore = "reads the table that COHORT_FLOW_TABLE names and prints time and memory"]
fn time_and_memory_of_reading_a_table() {
    let Some(path) = std::env::var_os("COHORT_FLOW_TABLE") else { return };
    for _ in 0..3 {
        let before = peak_memory().unwrap_or(0);
        let started = Instant::now();
        let source = Source::open(SourceFile::new(Path::new(&path)).unwrap()).unwrap();
        let columns: Vec<usize> = (0..source.columns.len()).collect();
        let (mut rows, mut empty) = (0, 0);
        source
            .read(&columns, |batch| {
                rows += batch.frame.height();
                empty += batch.frame.columns().iter().map(Column::null_count).sum::<usize>();
                Ok(())
            })
            .unwrap();
        let took = started.elapsed();
        let memory = peak_memory().unwrap_or(0) - before;
        eprintln!("{rows} rows, {} columns, {empty} nulls: {took:?}, {memory} kB more", columns.len());
    }
}
