//! What clients with keys have to sign: something new for each, that nobody can foretell.

use nats_keys::{PublicKey, decode_signature, encode_base64};

/// Characters of a nonce, as the reference has them.
const LEN: usize = 15;

/// A nonce as it is told and signed.
pub(crate) type Nonce = [u8; LEN];

/// Makes nonces: the hash of a secret and of how many there were.
#[derive(Debug)]
pub(crate) struct Nonces {
    secret: [u8; 32],
    count: u64,
}

impl Nonces {
    pub(crate) const fn new(secret: [u8; 32]) -> Self {
        Self { secret, count: 0 }
    }

    pub(crate) fn next(&mut self) -> Nonce {
        self.count += 1;
        let hash = nats_keys::hash(&[&self.secret[..], &self.count.to_le_bytes()].concat());
        let text = encode_base64(hash.get(..11).unwrap_or_default());
        text.into_bytes().try_into().unwrap_or([b'-'; LEN])
    }
}

/// True when the owner of `key` signed `nonce`. `signature`: base64, URL-safe without or standard with padding.
pub(crate) fn is_signed(key: &str, nonce: &Nonce, signature: &str) -> bool {
    let key: Option<PublicKey> = key.parse().ok();
    let signature = decode_signature(signature.as_bytes()).ok();
    key.zip(signature).is_some_and(|(key, signature)| key.verify(nonce, &signature))
}

#[cfg(test)]
mod tests {
    use super::*;
    use nats_keys::{KeyPair, Role};

    #[test]
    fn each_nonce_is_new_and_signed_by_its_owner_alone() {
        let mut nonces = Nonces::new([1; 32]);
        let (first, second) = (nonces.next(), nonces.next());
        assert_ne!(first, second);
        assert!(first.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(byte)));
        assert_ne!(Nonces::new([2; 32]).next(), first);
        let pair = KeyPair::new(Role::User, [3; 32]);
        let (key, signature) = (pair.public().to_string(), encode_base64(&pair.sign(&first)));
        assert!(is_signed(&key, &first, &signature));
        let standard = signature.replace('-', "+").replace('_', "/") + "==";
        assert!(is_signed(&key, &first, &standard));
        for wrong in [signature.as_str(), "", "x", &signature[1..]] {
            assert!(!is_signed(&key, &second, wrong));
        }
        assert!(!is_signed(&KeyPair::new(Role::User, [4; 32]).public().to_string(), &first, &signature));
        assert!(!is_signed("", &first, &signature));
    }
}
