//! "Did you mean": the candidate fewest typing slips away.

/// The candidate most like `wanted`, when it is like enough to be worth naming.
pub(crate) fn closest<'a>(wanted: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = wanted.to_lowercase();
    // A third of the letters may differ; beyond that a suggestion is noise.
    let limit = wanted.chars().count().div_ceil(3);
    candidates
        .into_iter()
        .map(|candidate| (slips(&wanted, &candidate.to_lowercase()), candidate))
        .filter(|&(distance, _)| distance <= limit)
        .min_by_key(|&(distance, _)| distance)
        .map(|(_, candidate)| candidate)
}

/// `did you mean …?` or, when nothing is like it, `allowed are …`; lists over a dozen names are not spelled
/// out.
pub(super) fn hint<'a>(wanted: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let candidates: Vec<&str> = candidates.into_iter().collect();
    if let Some(similar) = closest(wanted, candidates.iter().copied()) {
        return Some(format!("did you mean `{similar}`?"));
    }
    (1..=12).contains(&candidates.len()).then(|| format!("allowed are {}", quoted(&candidates)))
}

/// "`a`, `b`, `c`".
pub(super) fn quoted<S: AsRef<str>>(names: &[S]) -> String {
    names.iter().map(|n| format!("`{}`", n.as_ref())).collect::<Vec<_>>().join(", ")
}

/// Insertions, deletions, replacements and swaps of neighbours between two words (optimal string alignment).
fn slips(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let replaced = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = replaced.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(before[j - 2] + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_counts_edits_and_swaps() {
        for (a, b, expected) in
            [("", "", 0), ("", "abc", 3), ("unit", "unti", 1), ("mean", "men", 1), ("kitten", "sitting", 3)]
        {
            assert_eq!(slips(a, b), expected, "{a} {b}");
            assert_eq!(slips(b, a), expected, "{b} {a}");
        }
    }

    #[test]
    fn only_similar_words_are_suggested() {
        assert_eq!(closest("hart_rate", ["sodium", "heart_rate"]), Some("heart_rate"));
        assert_eq!(closest("HEART_RATE", ["heart_rate"]), Some("heart_rate"));
        assert_eq!(closest("zzz", ["heart_rate", "age"]), None);
        assert_eq!(hint("zzz", ["a_long_one"]), Some("allowed are `a_long_one`".into()));
    }
}
