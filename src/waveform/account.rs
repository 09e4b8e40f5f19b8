//! What became of records, segments and windows, for the audit, and which files were read.

use std::collections::BTreeMap;

use super::WaveformError;
use super::cuts::{Cuts, Reason};
use super::divide::Divided;
use crate::ingest::{Audit, CohortStep, InputFile, TableAudit};
use crate::plain_file::Watch;
use crate::schema::Waveform;

pub(super) fn nothing_left(settings: &Waveform, audit: &Audit) -> WaveformError {
    let mut why: Vec<String> = audit
        .tables
        .iter()
        .flat_map(|t| t.dropped.iter().map(move |(reason, n)| format!("{n} {}: {reason}", t.table)))
        .collect();
    // Of a folder whose records are all at fault, sentences say more than counts; the last names the channels
    // there are.
    why.extend(audit.messages.first().map(ToString::to_string));
    let last = audit.messages.iter().skip(1).find(|message| message.text.contains(" no window: "));
    why.extend(last.map(ToString::to_string));
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
///
/// # Errors
/// A file that cannot be read, or that changed since it was read.
pub(super) fn fingerprints(records: &[Cuts]) -> Result<Vec<InputFile>, WaveformError> {
    let mut files: Vec<&Watch> = records.iter().flat_map(|r| &r.files).collect();
    // Records that share a file have begun to read it at different times.
    files.iter().try_for_each(|file| file.end())?;
    files.sort_by(|a, b| a.path().cmp(b.path()));
    files.dedup_by(|a, b| a.path() == b.path());
    Ok(files.into_iter().map(InputFile::of_watched).collect::<Result<_, _>>()?)
}
