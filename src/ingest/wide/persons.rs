//! What is to be said of a column that tells which rows belong to one person: rows without one, values that
//! stand for nobody, and values that may be one person's in two spellings. No value is shown, since it may be
//! a person's.

use crate::ingest::Texts;
use crate::ingest::spelling::{says_nothing, says_unknown};
use crate::message::{Message, Weight, counted, plural};
use crate::num::repeated::Repeated;

use super::cells::hash_text;

/// Times the rows of the average person from which on a value such as −1 or 9999 stands for nobody.
const MANY_ROWS: f64 = 4.0;

/// Messages on the column `name`, whose cells are `groups`. Of each different value a count and a hash are
/// held.
pub(super) fn doubtful(name: &str, groups: &Texts) -> Vec<Message> {
    let (mut absent, mut rows) = (0_u64, vec![0_u32; groups.levels().len()]);
    for code in groups.codes().iter() {
        if code.is_nan() {
            absent += 1;
        } else {
            rows[code as usize] += 1;
        }
    }
    let mut messages = Vec::new();
    let mut say = |n: u64, text: String| {
        messages.push(Message::column(Weight::Leak, name, text).counting(n));
    };
    if absent > 0 {
        let text = format!(
            "column `{name}` is empty in {}: each of these rows counts as a person by itself, so that rows \
             of one person may lie in several splits; fill the cells in where it is known whose rows they are",
            counted(absent, "row", "rows")
        );
        say(absent, text);
    }
    let average = (groups.len() as u64 - absent) as f64 / rows.len().max(1) as f64;
    let stands_for_nobody = |(id, n): &(&str, &u32)| f64::from(**n) > MANY_ROWS * average && is_nobody(id);
    let nobody: u64 = groups.levels().zip(&rows).filter(stands_for_nobody).map(|(_, n)| u64::from(*n)).sum();
    if nobody > 0 {
        let text = format!(
            "column `{name}`: {} a value that looks like a code for \"unknown\", and {} as the rows of one \
             person; leave these cells empty if the person is unknown",
            plural(nobody, "a row holds", &format!("{nobody} rows hold")),
            plural(nobody, "counts", "count")
        );
        say(nobody, text);
    }
    let mut spellings = Repeated::default();
    groups.levels().for_each(|id| spellings.insert(hash_text(&one_spelling(id))));
    let alike = spellings.count();
    if alike > 0 {
        let text = format!(
            "column `{name}`: {alike} of {} values differ from another by letter case or leading zeros only \
             and count as different persons, so that rows of one person may lie in several splits; write \
             them in one way if they are the same",
            rows.len()
        );
        say(alike, text);
    }
    messages
}

/// Whether an identifier is one that programs write where none is known.
fn is_nobody(id: &str) -> bool {
    let digits = id.trim_start_matches('-').trim_end_matches(".0");
    let repeated = |digit: char| digits.chars().all(|c| c == digit);
    says_nothing(id)
        || says_unknown(id)
        || (!digits.is_empty()
            && (id.starts_with('-') || repeated('0') || (digits.len() > 1 && repeated('9'))))
}

fn one_spelling(id: &str) -> String {
    let lower = id.to_lowercase();
    // Zeros in front of the last run of digits: `P007` and `P7`, `007` and `7`.
    let at = lower.trim_end_matches(|c: char| c.is_ascii_digit()).len();
    let (head, digits) = lower.split_at(at);
    format!("{head}{}", digits.trim_start_matches('0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(ids: &[&str]) -> Vec<Option<u64>> {
        let groups: Texts = ids.iter().map(|id| (!id.is_empty()).then_some(*id)).collect();
        doubtful("pid", &groups).into_iter().map(|message| message.count).collect()
    }

    #[test]
    fn missing_unknown_and_twofold_persons_are_counted() {
        assert!(said(&["p1", "p2", "p2", "p10"]).is_empty());
        assert_eq!(said(&["p1", "", "p2", ""]), [Some(2)]);
        assert_eq!(said(&["P1", "p1", "p3"]), [Some(2)]);
        assert_eq!(said(&["00012", "12", "7", "8"]), [Some(2)]);
        let mut many = vec!["-1"; 30];
        many.extend(["1", "2", "3", "4", "5", "6", "7", "8", "9", "10"]);
        assert_eq!(said(&many), [Some(30)]);
        assert!(said(&["-1", "1", "2"]).is_empty(), "one row is one person");
    }
}
