//! "Did you mean": the candidate fewest typing slips away, which are letters too many, missing, other or
//! swapped.

use strsim::osa_distance;

/// The candidate most like `wanted`, when it is like enough to be worth naming.
pub(crate) fn closest<'a>(wanted: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = wanted.to_lowercase();
    // A third of the letters may differ; beyond that a suggestion is noise.
    let limit = wanted.chars().count().div_ceil(3);
    candidates
        .into_iter()
        .map(|candidate| (osa_distance(&wanted, &candidate.to_lowercase()), candidate))
        .filter(|&(distance, _)| distance <= limit)
        .min_by_key(|&(distance, _)| distance)
        .map(|(_, candidate)| candidate)
}

/// `did you mean …?` or, when nothing is like it, `allowed are …`; lists over a dozen names are not spelled
/// out.
pub(crate) fn hint<'a>(wanted: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let candidates: Vec<&str> = candidates.into_iter().collect();
    if let Some(similar) = closest(wanted, candidates.iter().copied()) {
        return Some(format!("did you mean `{similar}`?"));
    }
    (1..=12).contains(&candidates.len()).then(|| format!("allowed are {}", quoted(&candidates)))
}

/// "`a`, `b`, `c`".
pub(crate) fn quoted<S: AsRef<str>>(names: &[S]) -> String {
    names.iter().map(|n| format!("`{}`", n.as_ref())).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_similar_words_are_suggested() {
        assert_eq!(closest("hart_rate", ["sodium", "heart_rate"]), Some("heart_rate"));
        assert_eq!(closest("HEART_RATE", ["heart_rate"]), Some("heart_rate"));
        // Letters that changed places are one slip.
        assert_eq!(closest("unti", ["uni_t", "unit"]), Some("unit"));
        assert_eq!(closest("zzz", ["heart_rate", "age"]), None);
        assert_eq!(hint("zzz", ["a_long_one"]), Some("allowed are `a_long_one`".into()));
    }
}
