//! Records that lie between two events: each begins at a row that says so, and ends at the subject's next row
//! that says that.

use super::fact::Fact;
use super::fact_rows::Rows;
use crate::ingest::TableAudit;
use crate::ingest::events::keep::KeepTest;
use crate::schema::{Between, Record};

/// Puts one row for each record in the place of those that begin and end it. Its columns are those of the row
/// that begins it, an id (`SUBJECT-1` for the subject's first record in order of time), and its end; a record
/// that nothing ends before the next one begins has none.
pub(in crate::ingest) fn between(
    rows: &mut Rows,
    between: &Between,
    record: &Record,
    audit: &mut TableAudit,
) {
    let mut names: Vec<String> = rows.wanted().map(ToString::to_string).collect();
    let (code, subject) = (rows.place(&between.code), rows.place(&record.subject));
    let Some(start) = record.start.as_deref().map(|start| rows.place(start)) else { return };
    let (begins, ends) = (KeepTest::of(code, &between.begins), KeepTest::of(code, &between.ends));
    let is = |test: &KeepTest, row: &[Fact]| test.keeps(|place| row[place].text());
    // Numbers before texts, so that the order is that of the ids.
    let whom = |row: &[Fact]| row[subject].text().map(|text| (text.parse::<i64>().ok(), text));
    let mut order: Vec<usize> = (0..rows.facts.len()).filter(|&at| whom(&rows.facts[at]).is_some()).collect();
    order.sort_by_cached_key(|&at| (whom(&rows.facts[at]), rows.facts[at][start].seconds()));
    let mut made: Vec<Vec<Fact>> = Vec::new();
    let (mut last, mut count, mut open) = (None, 0, None);
    for at in order {
        let row = &rows.facts[at];
        let subject = whom(row);
        if subject != last {
            (count, open) = (0, None);
            last = subject;
        }
        let name = last.as_ref().map_or("", |(_, name)| name.as_str());
        if is(&begins, row) {
            count += 1;
            open = Some(made.len());
            let (id, end) = (Fact::Text(format!("{name}-{count}")), Fact::Null);
            made.push(row.iter().cloned().chain([id, end]).collect());
        } else if is(&ends, row)
            && let Some(record) = open.take()
            && let Some(end) = made[record].last_mut()
        {
            *end = row[start].clone();
        }
    }
    let others = rows.facts.len() - made.len();
    if others > 0 {
        audit.dropped.insert("end of a record".into(), others as u64);
    }
    names.extend([Between::ID, Between::END].map(str::to_owned));
    rows.replace(names, made);
}
