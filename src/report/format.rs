//! Numbers as people read them, the same way on every page and machine.

/// What stands where there is no number.
pub(crate) const NONE: &str = "–";

/// `digits` decimals.
pub(crate) fn fixed(v: f64, digits: usize) -> String {
    if !v.is_finite() {
        return NONE.into();
    }
    let text = format!("{v:.digits$}");
    // "-0.00" reads as a mistake.
    if text.starts_with('-') && text.bytes().all(|b| matches!(b, b'-' | b'0' | b'.')) {
        text[1..].into()
    } else {
        text
    }
}

/// As [`fixed`], with a sign also when positive: for differences.
pub(crate) fn signed(v: f64, digits: usize) -> String {
    let text = fixed(v, digits);
    let positive = v > 0.0 && text.bytes().any(|b| matches!(b, b'1'..=b'9'));
    if positive { format!("+{text}") } else { text }
}

/// `digits` significant digits, without trailing zeros, in powers of ten where plain digits would mislead.
pub(crate) fn significant(v: f64, digits: usize) -> String {
    if !v.is_finite() {
        return NONE.into();
    }
    if v == 0.0 {
        return "0".into();
    }
    let exponent = v.abs().log10().floor() as i32;
    if !(-4..9).contains(&exponent) {
        return format!("{v:.*e}", digits.saturating_sub(1));
    }
    let decimals = (digits as i32 - 1 - exponent).max(0) as usize;
    let text = fixed(v, decimals);
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').into() } else { text }
}

/// A whole number with thousands separated.
pub(crate) fn count(v: f64) -> String {
    let digits = fixed(v, 0);
    let (sign, digits) = digits.strip_prefix('-').map_or(("", digits.as_str()), |d| ("-", d));
    let mut out = String::from(sign);
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out
}

/// A probability; small ones in powers of ten.
pub(crate) fn probability(p: f64) -> String {
    if p != 0.0 && p < 0.001 { format!("{p:.1e}") } else { fixed(p, 3) }
}

/// A duration in its natural unit.
pub(crate) fn seconds(s: f64) -> String {
    if s < 1.0 {
        format!("{} ms", fixed(s * 1000.0, 0))
    } else if s < 120.0 {
        format!("{} s", fixed(s, 1))
    } else if s < 7200.0 {
        format!("{} min", fixed(s / 60.0, 1))
    } else {
        format!("{} h", fixed(s / 3600.0, 1))
    }
}

/// A size in its natural decimal unit.
pub(crate) fn bytes(b: f64) -> String {
    match b {
        b if b < 1e3 => format!("{} B", fixed(b, 0)),
        b if b < 1e6 => format!("{} kB", significant(b / 1e3, 3)),
        b if b < 1e9 => format!("{} MB", significant(b / 1e6, 3)),
        b => format!("{} GB", significant(b / 1e9, 3)),
    }
}

/// At most `n` characters, the last of them an ellipsis where some were left out.
pub(crate) fn shorten(text: &str, n: usize) -> String {
    if text.chars().count() <= n {
        return text.to_owned();
    }
    let mut out: String = text.chars().take(n.saturating_sub(1)).collect();
    out.push('…');
    out
}

/// As [`shorten`], leaving out the middle: names that begin alike often differ at their end.
pub(crate) fn squeeze(text: &str, n: usize) -> String {
    let length = text.chars().count();
    if length <= n {
        return text.to_owned();
    }
    let tail = n / 3;
    let head: String = text.chars().take(n.saturating_sub(tail + 1)).collect();
    let end: String = text.chars().skip(length - tail).collect();
    format!("{}…{}", head.trim_end(), end.trim_start())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!(fixed(-0.001, 2), "0.00");
        assert_eq!(fixed(f64::NAN, 2), "–");
        assert_eq!(signed(0.25, 1), "+0.2");
        assert_eq!(signed(0.0001, 2), "0.00");
        assert_eq!(significant(37.1204, 4), "37.12");
        assert_eq!(significant(120.0, 4), "120");
        assert_eq!(significant(0.5, 3), "0.5");
        assert_eq!(significant(1234567.0, 3), "1234567");
        assert_eq!(significant(3.2e-7, 2), "3.2e-7");
        assert_eq!(count(1234567.0), "1,234,567");
        assert_eq!(count(-123.0), "-123");
        assert_eq!(seconds(0.25), "250 ms");
        assert_eq!(seconds(600.0), "10.0 min");
        assert_eq!(bytes(2_500_000.0), "2.5 MB");
        assert_eq!(probability(0.00012), "1.2e-4");
        assert_eq!(squeeze("Systolic blood pressure, cuff", 18), "Systolic bl…, cuff");
        assert_eq!(squeeze("short", 18), "short");
        assert_eq!(shorten("مرحبا بالعالم", 6), "مرحبا…");
    }
}
