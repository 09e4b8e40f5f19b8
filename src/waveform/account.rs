//! What became of records, segments and windows, for the audit, and which files were read.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::WaveformError;
use super::cuts::{Cuts, Reason};
use super::divide::Divided;
use crate::error::IoError;
use crate::ingest::{Audit, CohortStep, InputFile, TableAudit};
use crate::schema::Waveform;

pub(super) fn nothing_left(settings: &Waveform, audit: &Audit) -> WaveformError {
    let mut why: Vec<String> = audit
        .tables
        .iter()
        .flat_map(|t| t.dropped.iter().map(move |(reason, n)| format!("{n} {}: {reason}", t.table)))
        .collect();
    // Of a folder whose records are all at fault, sentences say more than counts; the last names the channels
    // there are.
    why.extend(audit.warnings.first().cloned());
    why.extend(audit.warnings.iter().skip(1).find(|w| w.contains("give no window")).cloned());
    WaveformError::NoWindows {
        window: settings.extent(),
        channels: settings.channels.join(" and "),
        why: if why.is_empty() { "the records hold no samples".into() } else { why.join("; ") },
    }
}

pub(super) fn segments(divided: &[Divided]) -> TableAudit {
    let sum = |f: fn(&Cuts) -> u64| divided.iter().map(|d| f(&d.cuts)).sum::<u64>();
    let (gaps, short) = (sum(|c| c.gaps), sum(|c| c.short));
    let dropped = [("gap", gaps), ("shorter than a window", short)];
    TableAudit {
        table: "segments".into(),
        rows_read: sum(|c| c.segments),
        rows_kept: sum(|c| c.segments) - gaps - short,
        dropped: dropped.into_iter().filter(|d| d.1 > 0).map(|(name, n)| (name.to_owned(), n)).collect(),
    }
}

pub(super) fn windows(divided: &[Divided]) -> TableAudit {
    let kept: u64 = divided.iter().map(|d| d.cuts.windows.len() as u64).sum();
    let mut dropped: BTreeMap<String, u64> = BTreeMap::new();
    for (reason, n) in divided.iter().flat_map(|d| &d.cuts.dropped) {
        *dropped.entry(reason.name().to_owned()).or_default() += n;
    }
    let rows_read = kept + dropped.values().sum::<u64>();
    TableAudit { table: "windows".into(), rows_read, rows_kept: kept, dropped }
}

pub(super) fn flow(divided: &[Divided]) -> Vec<CohortStep> {
    let mut left = windows(divided).rows_read as usize;
    let mut steps =
        vec![CohortStep { rule: "all windows".into(), before: left, after: left, failed_null: 0 }];
    for reason in Reason::ALL {
        let n: u64 = divided.iter().filter_map(|d| d.cuts.dropped.get(&reason)).sum();
        let after = left - n as usize;
        let failed_null = if reason == Reason::Missing { n as usize } else { 0 };
        steps.push(CohortStep { rule: reason.rule().into(), before: left, after, failed_null });
        left = after;
    }
    steps
}

/// Size and SHA-256 of every file read, by name.
pub(super) fn fingerprints(records: &[Cuts]) -> Result<Vec<InputFile>, WaveformError> {
    let mut files: Vec<&PathBuf> = records.iter().flat_map(|r| &r.files).collect();
    files.sort();
    files.dedup();
    files.into_iter().map(|path| fingerprint(path)).collect()
}

fn fingerprint(path: &Path) -> Result<InputFile, WaveformError> {
    let mut file = File::open(path).map_err(IoError::on("open", path))?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 1 << 18];
    let mut bytes = 0;
    loop {
        let read = file.read(&mut buffer).map_err(IoError::on("read", path))?;
        if read == 0 {
            break;
        }
        hasher.update(&buffer[..read]);
        bytes += read as u64;
    }
    let mut sha256 = String::with_capacity(64);
    for byte in hasher.finalize() {
        write!(sha256, "{byte:02x}").expect("invariant: writing to a string cannot fail");
    }
    let name = path.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned());
    Ok(InputFile { name, bytes, sha256 })
}
