//! Payloads in traces: as text where they are UTF-8, which a person can read, else as numbers. Use with
//! `#[serde(with = "daemon::payload")]`.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

#[derive(Deserialize)]
#[serde(untagged)]
enum Either {
    Text(String),
    Bytes(Vec<u8>),
}

/// Writes the bytes.
///
/// # Errors
/// The serializer's.
pub fn serialize<S: Serializer>(payload: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    match std::str::from_utf8(payload) {
        Ok(text) => serializer.serialize_str(text),
        Err(_) => payload.serialize(serializer),
    }
}

/// Reads them back.
///
/// # Errors
/// The deserializer's; what is neither a string nor numbers up to 255.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    Ok(match Either::deserialize(deserializer)? {
        Either::Text(text) => text.into_bytes(),
        Either::Bytes(bytes) => bytes,
    })
}

#[cfg(test)]
mod tests {
    #[derive(serde::Serialize, serde::Deserialize)]
    struct Holder {
        #[serde(with = "super")]
        payload: Vec<u8>,
    }

    #[test]
    fn text_is_a_string_other_bytes_are_numbers_and_both_come_back() {
        for (payload, json) in [(&b"hi"[..], r#"{"payload":"hi"}"#), (b"\xff\x00", r#"{"payload":[255,0]}"#)] {
            let written = serde_json::to_string(&Holder { payload: payload.to_vec() }).unwrap();
            assert_eq!(written, json);
            assert_eq!(serde_json::from_str::<Holder>(&written).unwrap().payload, payload);
        }
    }
}
