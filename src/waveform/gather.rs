//! All records of an input, read and made comparable: one sampling rate, one unit per channel, no copies, a
//! patient each.
//!
//! What most records agree on is what the others are held against: the usual sampling rate is that of most
//! records, and the unit of a channel is the one in which most of its windows are. Units that can be
//! converted are converted; windows in others are left out and counted. A record that lies in two folders
//! would be in two splits: its windows are kept once.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;

use rayon::prelude::*;

use super::WaveformError;
use super::cut::cut;
use super::cuts::{Cuts, Reason};
use super::overlooked::overlooked;
use super::patient::{Described, folders_between, patients};
use super::record::{list_records, look_into, records_of};
use super::unit::Unit;
use crate::ingest::{TableAudit, VariableAudit};
use crate::message::{About, Message, Weight};
use crate::schema::{SplitBy, Waveform};

/// Records and what became of the others.
pub(super) struct Gathered {
    pub(super) records: Vec<Cuts>,
    pub(super) audit: TableAudit,
    pub(super) variables: Vec<VariableAudit>,
    pub(super) messages: Vec<Message>,
}

/// Names listed in a sentence; more are counted.
const NAMED: usize = 5;
/// Records left out that get a sentence each; more are counted.
const SENTENCES: usize = 20;

/// Reads all records of `input`. Of a folder, records that cannot be read are left out and counted.
///
/// # Errors
/// Those of [`list_records`]; of a single record, its own.
pub(super) fn gather(settings: &Waveform, input: &Path) -> Result<Gathered, WaveformError> {
    let listing = input.is_dir().then(|| look_into(input)).transpose()?;
    let paths = match &listing {
        Some(listing) => records_of(input, listing)?,
        None => list_records(input)?,
    };
    // A record that was named may read what lies beside it.
    let folder = if listing.is_some() { input } else { input.parent().unwrap_or(Path::new("")) };
    let mut audit = TableAudit { table: "waveform records".into(), ..TableAudit::default() };
    let mut records: Vec<Cuts> = Vec::new();
    let mut left_out = Vec::new();
    // Read by as many threads as there are, judged in order.
    let cuts: Vec<_> = paths.par_iter().map(|path| cut(path, folder, settings)).collect();
    for cut in cuts {
        match cut {
            Ok(cuts) => {
                audit.rows_read += cuts.len() as u64;
                records.extend(cuts);
            }
            Err(error) if input.is_dir() => {
                audit.rows_read += 1;
                *audit.dropped.entry(error.reason().into()).or_default() += 1;
                let text = format!("left out: {error}");
                left_out.push(Message::records(Weight::LeftOut, text).counting(1_u64));
            }
            Err(error) => return Err(error),
        }
    }
    name_uniquely(&mut records, input);
    if let Some(usual) = most(records.iter().filter_map(|c| c.frequency.map(|f| (f.to_bits(), 1)))) {
        let usual = f64::from_bits(usual);
        records.retain(|cuts| {
            let Some(found) = cuts.frequency.filter(|f| *f != usual) else { return true };
            *audit.dropped.entry("another sampling rate".into()).or_default() += 1;
            let text = format!("`{}` is left out: {found} Hz, others {usual} Hz", cuts.record);
            left_out.push(Message::records(Weight::LeftOut, text).counting(1_u64));
            false
        });
    }
    audit.rows_kept = records.len() as u64;
    let more = left_out.len().saturating_sub(SENTENCES);
    left_out.truncate(SENTENCES);
    if more > 0 {
        let text = match more {
            1 => "1 more record is left out; the audit counts them by reason".to_owned(),
            _ => format!("{more} more records are left out; the audit counts them by reason"),
        };
        left_out.push(Message::records(Weight::LeftOut, text).counting(more));
    }
    let mut messages = left_out;
    if let Some(listing) = &listing {
        messages.extend(overlooked(input, listing)?);
    }
    messages.extend(notes(&records));
    let (variables, of_units) = unify(&mut records, settings);
    messages.extend(of_units);
    messages.extend(drop_copies(&mut records));
    messages.extend(without_windows(&records, settings));
    messages.extend(assign_patients(&mut records, settings, input));
    Ok(Gathered { records, audit, variables, messages })
}

/// The key of the largest sum; of equal ones the first that occurs.
fn most<K: Hash + Eq + Clone>(votes: impl Iterator<Item = (K, usize)>) -> Option<K> {
    let mut sums: Vec<(K, usize)> = Vec::new();
    for (key, n) in votes {
        match sums.iter_mut().find(|s| s.0 == key) {
            Some(sum) => sum.1 += n,
            None => sums.push((key, n)),
        }
    }
    sums.into_iter().rev().max_by_key(|s| s.1).map(|s| s.0)
}

/// Records of one name in several folders are told apart by their folders.
fn name_uniquely(records: &mut [Cuts], input: &Path) {
    let mut seen: HashMap<String, usize> = HashMap::new();
    for cuts in records.iter() {
        *seen.entry(cuts.record.clone()).or_default() += 1;
    }
    for cuts in records.iter_mut().filter(|c| seen[&c.record] > 1) {
        let folders = folders_between(input, &cuts.path);
        if !folders.is_empty() {
            cuts.record = format!("{}/{}", folders.join("/"), cuts.record);
        }
    }
}

/// Each sentence once, with the first record that it is about and the number of the others.
fn notes(records: &[Cuts]) -> Vec<Message> {
    let mut places: Vec<(&str, Vec<&str>)> = Vec::new();
    let mut position: HashMap<&str, usize> = HashMap::new();
    for (place, sentence) in records.iter().flat_map(|c| &c.notes) {
        let at = *position.entry(sentence.as_str()).or_insert_with(|| {
            places.push((sentence.as_str(), Vec::new()));
            places.len() - 1
        });
        places[at].1.push(place);
    }
    places
        .into_iter()
        .map(|(sentence, of)| {
            let text = match of.len() {
                1 => format!("{}: {sentence}", of[0]),
                n => format!("{} and {} more: {sentence}", of[0], n - 1),
            };
            Message::file(Weight::Choice, of[0], text).counting(of.len())
        })
        .collect()
}

fn list<'a>(names: impl ExactSizeIterator<Item = &'a str>) -> String {
    let n = names.len();
    let mut out = names.take(NAMED).map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    if n > NAMED {
        write!(out, " and {} more", n - NAMED).expect("invariant: a string can be written to");
    }
    out
}

/// Brings every channel to one unit: that of most windows, among the units of the quantity that most windows
/// measure. Windows that are not calibrated decide only where all are so.
fn unify(records: &mut [Cuts], settings: &Waveform) -> (Vec<VariableAudit>, Vec<Message>) {
    let (mut audits, mut messages) = (Vec::new(), Vec::new());
    for (channel, name) in settings.channels.iter().enumerate() {
        let windows: Vec<(Unit, usize)> = records
            .iter()
            .flat_map(|c| {
                let mut per_scale = vec![0; c.scales.len()];
                c.windows.iter().for_each(|w| per_scale[w.scale] += 1);
                c.scales.iter().map(|s| s.units[channel].clone()).zip(per_scale)
            })
            .collect();
        let calibrated = windows.iter().any(|(u, n)| *n > 0 && *u != Unit::uncalibrated());
        let votes = windows.iter().filter(|(u, _)| !calibrated || *u != Unit::uncalibrated());
        let quantity = most(votes.map(|(u, n)| (u.quantity.clone(), *n)));
        let of_quantity = windows.iter().filter(|(u, _)| Some(&u.quantity) == quantity.as_ref());
        let usual = most(of_quantity.map(|(u, n)| (u.name.clone(), *n)));
        let Some(target) =
            windows.iter().find(|(u, _)| Some(&u.name) == usual.as_ref()).map(|(u, _)| u.clone())
        else {
            continue;
        };
        let mut say = |weight: Weight, n: usize, text: String| {
            messages.push(Message::new(weight, About::Channel(name.clone()), text).counting(n));
        };
        let mut audit = VariableAudit { variable: name.clone(), ..VariableAudit::default() };
        for (unit, n) in &windows {
            *audit.units.entry(unit.name.to_lowercase()).or_default() += *n as u64;
        }
        // Windows by the unit they were in, with their records.
        let mut converted: BTreeMap<String, (usize, Vec<String>)> = BTreeMap::new();
        let mut strange: BTreeMap<String, (usize, Vec<String>)> = BTreeMap::new();
        for cuts in records.iter_mut() {
            let of_scale = |cuts: &Cuts, k: usize| cuts.windows.iter().filter(|w| w.scale == k).count();
            for k in 0..cuts.scales.len() {
                let unit = cuts.scales[k].units[channel].clone();
                if unit.name == target.name {
                    continue;
                }
                let n = of_scale(cuts, k);
                let met = match unit.to(&target) {
                    Some(conversion) => {
                        cuts.scales[k].convert(channel, &target, conversion);
                        &mut converted
                    }
                    None => {
                        cuts.windows.retain(|w| w.scale != k);
                        cuts.drop(Reason::Unit, n);
                        &mut strange
                    }
                };
                let entry = met.entry(unit.name).or_default();
                entry.0 += n;
                if !entry.1.contains(&cuts.record) {
                    entry.1.push(cuts.record.clone());
                }
            }
        }
        for (unit, (n, of)) in converted {
            audit.converted += n as u64;
            let of = list(of.iter().map(String::as_str));
            let (what, are) = windows_are(n);
            let text = format!("`{name}`: {what} in {unit} {are} converted to {}: {of}", target.name);
            say(Weight::Choice, n, text);
        }
        for (unit, (n, of)) in strange {
            audit.unknown_unit += n as u64;
            let unit = match unit.as_str() {
                "" => "without a unit".to_owned(),
                _ if unit == Unit::uncalibrated().name => "whose header states no gain".to_owned(),
                _ => format!("in {unit}"),
            };
            let of = list(of.iter().map(String::as_str));
            let (what, are) = windows_are(n);
            let others = match target.name.as_str() {
                "" => "have no unit".to_owned(),
                other => format!("are in {other}"),
            };
            let text = format!("`{name}`: {what} {unit} {are} left out, since the others {others}: {of}");
            say(Weight::LeftOut, n, text);
        }
        if target == Unit::uncalibrated() {
            let text = format!(
                "`{name}` is not calibrated: the headers state no gain, so that 1 stands for 200 steps \
                 of the converter"
            );
            say(Weight::Wrong, windows.iter().map(|w| w.1).sum(), text);
        }
        audit.values_kept = windows.iter().map(|w| w.1 as u64).sum::<u64>() - audit.unknown_unit;
        audits.push(audit);
    }
    (audits, messages)
}

/// A number of windows as the beginning of a sentence, and its verb.
fn windows_are(n: usize) -> (String, &'static str) {
    if n == 1 { ("1 window".to_owned(), "is") } else { (format!("{n} windows"), "are") }
}

/// Leaves out the windows of a record most of which are those of an earlier one.
fn drop_copies(records: &mut [Cuts]) -> Option<Message> {
    let mut seen: HashMap<u64, usize> = HashMap::new();
    let (mut copies, mut windows): (Vec<(String, String)>, usize) = (Vec::new(), 0);
    for at in 0..records.len() {
        let cuts = &records[at];
        let keys: Vec<u64> = cuts
            .windows
            .iter()
            .map(|w| {
                let mut hasher = DefaultHasher::new();
                w.samples.hash(&mut hasher);
                let scale = &cuts.scales[w.scale];
                scale.gain.iter().chain(&scale.baseline).for_each(|x| x.to_bits().hash(&mut hasher));
                hasher.finish()
            })
            .collect();
        // Short windows of few levels may be equal by chance: a copy shares most of them with one record.
        let original = most(keys.iter().filter_map(|key| Some((*seen.get(key)?, 1))));
        let shared = |key: &u64| original.is_some() && seen.get(key).copied() == original;
        let n = keys.iter().filter(|key| shared(key)).count();
        if let Some(original) = original.filter(|_| 2 * n > keys.len()) {
            copies.push((records[at].record.clone(), records[original].record.clone()));
            windows += n;
            let mut flags = keys.iter().map(|key| !shared(key));
            records[at].windows.retain(|_| flags.next().unwrap_or(true));
            records[at].drop(Reason::Copy, n);
        }
        for key in keys {
            seen.entry(key).or_insert(at);
        }
    }
    let (first, original) = copies.first()?;
    let others = match copies.len() {
        1 => String::new(),
        2 => ", and 1 more record is a copy".to_owned(),
        n => format!(", and {} more records are copies", n - 1),
    };
    let text = format!(
        "{} of another record and {} left out; `{first}` repeats `{original}`{others}",
        if windows == 1 {
            "1 window is a copy of one".to_owned()
        } else {
            format!("{windows} windows are copies of those")
        },
        windows_are(windows).1,
    );
    Some(Message::records(Weight::Leak, text).counting(windows))
}

/// Records of which no window could be cut, with the reason.
fn without_windows(records: &[Cuts], settings: &Waveform) -> Option<Message> {
    let reason = |cuts: &Cuts| {
        let most = cuts.dropped.iter().max_by_key(|d| *d.1).map(|d| *d.0);
        match most {
            // A table without any of the channels has no window to count.
            Some(Reason::Absent) | None if !cuts.others.is_empty() => {
                let has = cuts.others.iter().take(12).cloned().collect::<Vec<_>>().join(", ");
                format!("not all of {} are recorded, but {has}", settings.channels.join(", "))
            }
            Some(reason) => reason.name().to_owned(),
            None if cuts.short > 0 => format!("shorter than a window of {} samples", settings.extent()),
            None => "no samples".to_owned(),
        }
    };
    let empty: Vec<&Cuts> = records.iter().filter(|c| c.windows.is_empty()).collect();
    if empty.is_empty() {
        return None;
    }
    let named: Vec<String> =
        empty.iter().take(NAMED).map(|c| format!("`{}` ({})", c.record, reason(c))).collect();
    let more = if empty.len() > NAMED { format!(" and {} more", empty.len() - NAMED) } else { String::new() };
    let (n, named) = (empty.len(), named.join(", "));
    let give = if n == 1 { "gives" } else { "give" };
    let of = if records.len() == 1 { "record" } else { "records" };
    let text = format!("{n} of {} {of} {give} no window: {named}{more}", records.len());
    Some(Message::records(Weight::LeftOut, text).counting(n))
}

fn assign_patients(records: &mut [Cuts], settings: &Waveform, input: &Path) -> Option<Message> {
    let folders: Vec<Vec<String>> = records.iter().map(|c| folders_between(input, &c.path)).collect();
    let names: Vec<String> =
        records.iter().map(|c| c.record.rsplit('/').next().unwrap_or(&c.record).to_owned()).collect();
    let described: Vec<Described<'_>> = records
        .iter()
        .enumerate()
        .map(|(i, c)| Described { folders: &folders[i], name: &names[i], stated: c.stated.as_deref() })
        .collect();
    let (patients, message) = patients(&described);
    for (cuts, patient) in records.iter_mut().zip(patients) {
        cuts.subject = patient;
    }
    // A split by time has windows of each patient in every split, as it was asked to.
    message.filter(|_| settings.split_by == SplitBy::Record)
}

#[cfg(test)]
#[cfg(unix)]
mod links;
#[cfg(test)]
mod tests;
