//! SHA-256 of a resolved description: two files that say the same, whatever their comments and order of keys,
//! have the same fingerprint.

use serde::Serialize;
use serde_json::Value;

use crate::num::hex::sha256;

/// JSON without spaces, the keys of every object sorted by their bytes; the order of lists is kept, since
/// that of rules and features has a meaning. Numbers are the shortest text that reads back to the same f64.
pub fn canonical_json(value: &impl Serialize) -> String {
    let mut value =
        serde_json::to_value(value).expect("invariant: descriptions hold text keys and finite numbers");
    sort_keys(&mut value);
    value.to_string()
}

/// SHA-256 of [`canonical_json`], in lower-case hexadecimal.
pub fn fingerprint(value: &impl Serialize) -> String {
    sha256(canonical_json(value).as_bytes())
}

fn sort_keys(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.sort_keys();
            map.values_mut().for_each(sort_keys);
        }
        Value::Array(items) => items.iter_mut().for_each(sort_keys),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_sorted_at_every_depth_and_lists_are_not() {
        let value: Value = serde_json::from_str(r#"{"b": [3, {"z": 1, "a": 0.1}], "a": null}"#).unwrap();
        assert_eq!(canonical_json(&value), r#"{"a":null,"b":[3,{"a":0.1,"z":1}]}"#);
    }

    #[test]
    fn fingerprint_is_the_sha256_of_the_text() {
        // printf '"abc"' | sha256sum (coreutils 9.1)
        let expected = "6cc43f858fbb763301637b5af970e2a46b46f461f27e5a0f41e009c59b827b25";
        assert_eq!(fingerprint(&"abc"), expected);
    }
}
