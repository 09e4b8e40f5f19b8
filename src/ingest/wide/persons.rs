//! What is to be said of a column that tells which rows belong to one person: rows without one, values that
//! stand for nobody, and values that may be one person's in two spellings. No value is shown, since it may be
//! a person's.

use std::collections::HashMap;

use crate::ingest::spelling::{says_nothing, says_unknown};
use crate::message::{Message, Weight, counted, plural};

/// Times the rows of the average person from which on a value such as −1 or 9999 stands for nobody.
const MANY_ROWS: f64 = 4.0;

/// Messages on the column `name`, whose cells are `groups`.
pub(super) fn doubtful<'g>(name: &str, groups: impl Iterator<Item = Option<&'g str>>) -> Vec<Message> {
    let (mut absent, mut rows): (u64, HashMap<&str, u64>) = (0, HashMap::new());
    for group in groups {
        match group {
            Some(group) => *rows.entry(group).or_default() += 1,
            None => absent += 1,
        }
    }
    let mut messages = Vec::new();
    let mut say = |n: u64, text: String| {
        messages.push(Message::column(Weight::Leak, name, text).counting(n));
    };
    if absent > 0 {
        let text = format!(
            "column `{name}` is empty in {}: each of them counts as somebody of its own, so that rows of one \
             person may lie in several splits; fill the cells in if it is known whose rows they are",
            counted(absent, "row", "rows")
        );
        say(absent, text);
    }
    let average = rows.values().sum::<u64>() as f64 / rows.len().max(1) as f64;
    let nobody: u64 =
        rows.iter().filter(|(id, n)| **n as f64 > MANY_ROWS * average && is_nobody(id)).map(|(_, n)| n).sum();
    if nobody > 0 {
        let text = format!(
            "column `{name}`: {} one value that looks like a code for \"unknown\" and {} as one person's; \
             leave the cells empty if it is one",
            plural(nobody, "a row holds", &format!("{nobody} rows hold")),
            plural(nobody, "counts", "count")
        );
        say(nobody, text);
    }
    let mut spellings: HashMap<String, u64> = HashMap::new();
    for id in rows.keys() {
        *spellings.entry(one_spelling(id)).or_default() += 1;
    }
    let alike: u64 = spellings.values().filter(|n| **n > 1).sum();
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
        let groups = ids.iter().map(|id| (!id.is_empty()).then_some(*id));
        doubtful("pid", groups).into_iter().map(|message| message.count).collect()
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
