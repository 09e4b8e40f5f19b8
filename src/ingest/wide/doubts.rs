//! What a user should check of the values of a column: numbers that may be codes for "missing", levels that
//! may be one level or none.

use std::collections::BTreeMap;

use unicode_normalization::UnicodeNormalization;

use crate::ingest::spelling::{Spelling, says_unknown};
use crate::message::{Message, Weight, counted, plural};
use crate::num::packed::Numbers;

use super::profile::{Profile, is_sentinel};

/// Warns of numbers that look like missing codes, and remembers them for new tables.
pub(super) fn sentinels(name: &str, p: &Profile, spelling: &mut Spelling) -> Option<Message> {
    let suspects = p.suspects();
    if suspects.is_empty() {
        return None;
    }
    spelling.suspected = suspects.iter().map(|(x, _)| *x).collect();
    let listed: Vec<String> = suspects.iter().map(|(x, n)| format!("{x} ({n} {})", p.rows(*n))).collect();
    let codes: Vec<String> = suspects.iter().map(|(x, _)| x.to_string()).collect();
    let text = format!(
        "column `{name}`: {} {}; if it means missing, pass --set missing.{name}={}",
        listed.join(" and "),
        plural(
            suspects.len(),
            "stands apart from all other values and is taken as a number",
            "stand apart from all other values and are taken as numbers"
        ),
        codes.join(",")
    );
    let n: u64 = suspects.iter().map(|(_, n)| n).sum();
    Some(Message::column(Weight::Wrong, name, text).counting(n))
}

/// Counts the numbers that look like codes for "missing".
pub(super) fn count_sentinels(
    spelling: &Spelling,
    range: Option<(f64, f64)>,
    numbers: &Numbers,
    met: &mut Vec<(f64, usize)>,
) {
    let Some((low, high)) = range else { return };
    let known = &spelling.suspected;
    for x in numbers.iter().filter(|x| known.contains(x) || is_sentinel(*x, low, high)) {
        match met.iter_mut().find(|(code, _)| *code == x) {
            Some((_, count)) => *count += 1,
            None => met.push((x, 1)),
        }
    }
}

/// Warns of numbers that look like codes for "missing" and are taken as numbers.
pub(super) fn sentinel(name: &str, mut met: Vec<(f64, usize)>) -> Option<Message> {
    if met.is_empty() {
        return None;
    }
    met.sort_by(|a, b| a.0.total_cmp(&b.0));
    let codes: Vec<String> = met.iter().map(|(code, n)| format!("{code} ({n} cells)")).collect();
    let n: usize = met.iter().map(|(_, n)| n).sum();
    let text = format!(
        "column `{}`: {} looks like a code for \"missing\" and is taken as a number; if it means missing, \
         leave these cells empty, or fit on a bundle made with --set missing.{}=CODE",
        name,
        codes.join(" and "),
        name
    );
    Some(Message::column(Weight::Wrong, name, text).counting(n))
}

/// Levels that may be one level, or none.
pub(super) fn doubtful_levels(name: &str, p: &Profile) -> Vec<Message> {
    let mut doubts = Vec::new();
    let mut say = |n: u64, text: String| {
        doubts.push(Message::column(Weight::Choice, name, text).counting(n));
    };
    let rows: u64 = p.nothing.values().sum();
    if rows > 0 {
        let words: Vec<String> = p.nothing.keys().map(|w| format!("`{w}`")).collect();
        let codes: Vec<&str> = p.nothing.keys().map(String::as_str).collect();
        let text = format!(
            "column `{name}`: {} {} ({rows} {}); if that means missing, pass --set missing.{name}={}",
            words.join(" and "),
            plural(words.len(), "is a level of its own", "are levels of their own"),
            p.rows(rows),
            codes.join(",")
        );
        say(rows, text);
    }
    let mut unknown: Vec<(&str, u64)> = p
        .words
        .iter()
        .filter(|(word, _)| says_unknown(word))
        .map(|(word, rows)| (word.as_str(), *rows))
        .collect();
    unknown.sort_unstable();
    let codes = p.suspects();
    let mut named: Vec<String> = unknown.iter().map(|(word, _)| (*word).to_string()).collect();
    named.extend(codes.iter().map(|(x, _)| x.to_string()));
    if !named.is_empty() {
        let rows = unknown.iter().map(|(_, n)| n).sum::<u64>() + codes.iter().map(|(_, n)| n).sum::<u64>();
        let text = format!(
            "column `{name}`: `{}` {} ({rows} {}); if it means missing, pass --set missing.{name}={}",
            named.join("` and `"),
            plural(named.len(), "is a level of its own", "are levels of their own"),
            p.rows(rows),
            named.join(",")
        );
        say(rows, text);
    }
    if p.numbers > 0 && p.censored > 0 && p.numbers + p.censored == p.seen {
        let text = format!(
            "column `{name}` holds {} and {} such as `<0.5` and is categorical; --set role.{name}=continuous \
             reads the numbers and rejects the limits",
            counted(p.numbers, "number", "numbers"),
            counted(p.censored, "limit", "limits")
        );
        say(p.censored, text);
    }
    for (words, how) in alike(p.words.keys().chain(p.nothing.keys())) {
        let named: Vec<String> = words.iter().map(|w| format!("`{}`", w.escape_debug())).collect();
        let text = format!(
            "column `{name}`: the levels {} differ by {how} only and are kept apart",
            named.join(", ")
        );
        say(named.len() as u64, text);
    }
    doubts
}

/// Levels that a reader would take for one, and by what they differ.
fn alike<'w>(words: impl Iterator<Item = &'w String>) -> Vec<(Vec<&'w str>, &'static str)> {
    let mut by_form: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for word in words {
        by_form.entry(plain(word).to_lowercase()).or_default().push(word);
    }
    let several = by_form.into_values().filter(|words| words.len() > 1);
    several
        .map(|mut words| {
            words.sort_unstable();
            let same_case = words.iter().all(|word| plain(word) == plain(words[0]));
            let same_form = words.iter().all(|word| word.to_lowercase() == words[0].to_lowercase());
            let how = match (same_case, same_form) {
                (_, true) => "letter case",
                (true, false) => "spaces, invisible characters or the encoding of letters",
                (false, false) => "letter case, spaces, invisible characters or the encoding of letters",
            };
            (words, how)
        })
        .collect()
}

/// A text in one Unicode form (NFKC), without characters that cannot be seen and with single spaces.
fn plain(text: &str) -> String {
    let seen =
        text.nfkc().filter(|c| !matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}'));
    seen.collect::<String>().split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_that_look_alike_are_told() {
        let words = [
            "Zürich",
            "Zu\u{308}rich",
            "Bern",
            "sepsis",
            "sepsis\u{200b}",
            "a  b",
            "a\u{a0}b",
            "A b",
            "x",
            "X",
        ];
        let words: Vec<String> = words.iter().map(|w| (*w).to_string()).collect();
        let found: Vec<(usize, &str)> =
            alike(words.iter()).into_iter().map(|(w, how)| (w.len(), how)).collect();
        let of_form = "spaces, invisible characters or the encoding of letters";
        let of_both = "letter case, spaces, invisible characters or the encoding of letters";
        assert_eq!(found, [(3, of_both), (2, of_form), (2, "letter case"), (2, of_form)]);
    }
}
