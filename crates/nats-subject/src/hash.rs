//! A keyed hash: folded multiplication of eight bytes at a time. Whoever does not know the seed cannot aim for collisions by
//! knowing the algorithm alone; it is not a cryptographic one.

const PRIME: u64 = 0x9e37_79b9_7f4a_7c15;

fn fold(left: u64, right: u64) -> u64 {
    let product = u128::from(left) * u128::from(right);
    let (high, low) = ((product >> 64), product & u128::from(u64::MAX));
    u64::try_from(high ^ low).unwrap_or_default()
}

/// Hashes `bytes` under `seed`, a secret random number. Not a cryptographic hash.
#[must_use]
pub fn hash(seed: u64, bytes: &[u8]) -> u64 {
    let mut state = seed ^ PRIME.wrapping_mul(bytes.len() as u64 + 1);
    let (words, rest) = bytes.as_chunks::<8>();
    for word in words {
        state = fold(state ^ u64::from_le_bytes(*word), PRIME ^ seed.rotate_left(32));
    }
    let tail = rest.iter().fold(0_u64, |tail, &byte| (tail << 8) | u64::from(byte));
    fold(state ^ tail, PRIME ^ seed.rotate_left(17))
}

#[cfg(test)]
mod tests {
    use super::hash;

    #[test]
    fn seed_length_and_every_byte_count() {
        let base = hash(1, b"hardware.usb.add");
        assert_ne!(base, hash(2, b"hardware.usb.add"));
        assert_ne!(base, hash(1, b"hardware.usb.adc"));
        assert_ne!(base, hash(1, b"iardware.usb.add"));
        assert_ne!(hash(1, b"\0"), hash(1, b"\0\0"));
        assert_ne!(hash(1, b""), hash(1, b"\0"));
    }
}
