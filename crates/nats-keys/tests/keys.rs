//! Keys good and bad, and what the public implementation makes of the same ones.

use nats_keys::{Error, KeyPair, PublicKey, Role, is_public};

const ROLES: [(Role, nkeys::KeyPairType); 5] = [
    (Role::Operator, nkeys::KeyPairType::Operator),
    (Role::Account, nkeys::KeyPairType::Account),
    (Role::User, nkeys::KeyPairType::User),
    (Role::Server, nkeys::KeyPairType::Server),
    (Role::Cluster, nkeys::KeyPairType::Cluster),
];

#[test]
fn both_implementations_make_the_same_keys_and_accept_each_others_signatures() {
    for (role, theirs) in ROLES {
        for first in 0..8 {
            let secret: [u8; 32] = std::array::from_fn(|place| u8::try_from(place * 7 % 256).unwrap() ^ (first * 31));
            let (ours, theirs) =
                (KeyPair::new(role, secret), nkeys::KeyPair::new_from_raw(theirs.clone(), secret).unwrap());
            assert_eq!(ours.public().to_string(), theirs.public_key());
            assert_eq!(ours.seed(), theirs.seed().unwrap());
            let read = KeyPair::from_seed(&theirs.seed().unwrap()).unwrap();
            assert_eq!((read.role(), read.public()), (role, ours.public()));
            assert_eq!(ours.sign(b"nonce").to_vec(), theirs.sign(b"nonce").unwrap());
            assert!(theirs.verify(b"nonce", &ours.sign(b"nonce")).is_ok());
            assert!(ours.public().verify(b"nonce", &theirs.sign(b"nonce").unwrap()));
        }
    }
}

#[test]
fn a_public_key_reads_back_as_itself() {
    for (role, _) in ROLES {
        let key = KeyPair::new(role, [9; 32]).public();
        let text = key.to_string();
        assert_eq!(text.parse::<PublicKey>().unwrap(), key);
        assert!(is_public(role, &text));
        assert_eq!(
            text.chars().next().unwrap(),
            role.to_string()
                .to_uppercase()
                .chars()
                .next()
                .map_or('?', |letter| { if role == Role::Server { 'N' } else { letter } })
        );
    }
}

#[test]
fn what_is_no_public_key() {
    let good = KeyPair::new(Role::User, [1; 32]).public().to_string();
    let seed = KeyPair::new(Role::User, [1; 32]).seed();
    let swapped = format!("{}{}", &good[..55], if good.ends_with('A') { "B" } else { "A" });
    for (text, error) in [
        ("", Error::KeyLength),
        (&good[..55], Error::KeyLength),
        (&format!("{good}A"), Error::KeyLength),
        (&good.to_lowercase(), Error::Encoding),
        (&good.replacen(&good[5..6], "1", 1), Error::Encoding),
        (&swapped, Error::Checksum),
        (&seed, Error::KeyLength),
    ] {
        assert_eq!(text.parse::<PublicKey>(), Err(error), "{text}");
    }
    assert_eq!(PublicKey::of(Role::Account, &good), Err(Error::WrongRole("an account")));
    assert!(!is_public(Role::Account, &good));
}

#[test]
fn every_changed_letter_is_noticed() {
    let good = KeyPair::new(Role::Account, [3; 32]);
    let (public, seed) = (good.public().to_string(), good.seed());
    for place in 0..public.len() {
        let letter = if &public[place..=place] == "C" { "D" } else { "C" };
        let changed = format!("{}{letter}{}", &public[..place], &public[place + 1..]);
        assert!(changed.parse::<PublicKey>().is_err(), "{changed}");
    }
    for place in 0..seed.len() {
        let letter = if &seed[place..=place] == "E" { "F" } else { "E" };
        let changed = format!("{}{letter}{}", &seed[..place], &seed[place + 1..]);
        assert!(KeyPair::from_seed(&changed).is_err(), "{changed}");
    }
}

#[test]
fn what_is_no_seed() {
    let user = KeyPair::new(Role::User, [1; 32]);
    let (public, seed) = (user.public().to_string(), user.seed());
    for (text, error) in [
        ("", Error::KeyLength),
        (public.as_str(), Error::KeyLength),
        (&seed.to_lowercase(), Error::Encoding),
        (&format!("{public}AA"), Error::Checksum),
    ] {
        assert_eq!(KeyPair::from_seed(text).unwrap_err(), error, "{text}");
    }
}

#[test]
fn a_signature_fits_one_key_and_one_message() {
    let (one, other) = (KeyPair::new(Role::User, [1; 32]), KeyPair::new(Role::User, [2; 32]));
    let signature = one.sign(b"nonce");
    assert!(one.public().verify(b"nonce", &signature));
    assert!(!other.public().verify(b"nonce", &signature));
    assert!(!one.public().verify(b"nonc", &signature));
    assert!(!one.public().verify(b"nonce", &signature[..63]));
    assert!(!one.public().verify(b"nonce", &[]));
    for bit in 0..512 {
        let mut changed = signature;
        changed[bit / 8] ^= 1 << (bit % 8);
        assert!(!one.public().verify(b"nonce", &changed), "bit {bit}");
    }
}

#[test]
fn nothing_secret_is_shown() {
    let pair = KeyPair::new(Role::User, [0xab; 32]);
    assert_eq!(format!("{pair:?}"), "KeyPair { role: User, .. }");
}

#[cfg(feature = "seal")]
mod seal {
    use super::*;
    use nats_keys::CurvePair;

    #[test]
    fn both_implementations_open_what_the_other_sealed() {
        let (ours, theirs) = (CurvePair::new([5; 32]), nkeys::XKey::new_from_raw([6; 32]));
        let them = PublicKey::of(Role::Curve, &theirs.public_key()).unwrap();
        let us = nkeys::XKey::from_public_key(&ours.public().to_string()).unwrap();
        for message in [&b""[..], b"x", &[7; 5000]] {
            let sealed = ours.seal(message, &them, [1; 24]).unwrap();
            assert_eq!(theirs.open(&sealed, &us).unwrap(), message);
            assert_eq!(ours.open(&theirs.seal(message, &us).unwrap(), &them).unwrap(), message);
        }
        assert_eq!(CurvePair::from_seed(&theirs.seed().unwrap()).unwrap().public(), them);
    }

    #[test]
    fn what_cannot_be_opened() {
        let (one, two, three) = (CurvePair::new([1; 32]), CurvePair::new([2; 32]), CurvePair::new([3; 32]));
        let sealed = one.seal(b"message", &two.public(), [9; 24]).unwrap();
        assert_eq!(two.open(&sealed, &one.public()).unwrap(), b"message");
        assert_eq!(three.open(&sealed, &one.public()), Err(Error::Sealed));
        assert_eq!(two.open(&sealed, &three.public()), Err(Error::Sealed));
        for cut in 0..sealed.len() {
            assert_eq!(two.open(&sealed[..cut], &one.public()), Err(Error::Sealed));
        }
        for place in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[place] ^= 1;
            assert_eq!(two.open(&changed, &one.public()), Err(Error::Sealed));
        }
        let user = KeyPair::new(Role::User, [1; 32]);
        assert_eq!(one.seal(b"", &user.public(), [0; 24]), Err(Error::WrongRole("a curve")));
        assert_eq!(CurvePair::from_seed(&user.seed()).unwrap_err(), Error::WrongRole("a curve"));
    }
}
