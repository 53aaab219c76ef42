//! Credentials files good and bad.

use nats_keys::{Credentials, Error, KeyPair, Role};

fn file(token: &str, seed: &str) -> String {
    format!(
        "-----BEGIN NATS USER JWT-----\n{token}\n------END NATS USER JWT------\n\n\
         ************************* IMPORTANT *************************\n\
         NKEY Seed printed below can be used to sign and prove identity.\n\
         NKEYs are sensitive and should be treated as secrets.\n\n\
         -----BEGIN USER NKEY SEED-----\n{seed}\n------END USER NKEY SEED------\n\n\
         *************************************************************\n"
    )
}

#[test]
fn a_file_as_tools_write_it() {
    let user = KeyPair::new(Role::User, [4; 32]);
    for text in [file("a.b.c", &user.seed()), file("a.b.c", &user.seed()).replace('\n', "\r\n")] {
        let read = Credentials::parse(&text).unwrap();
        assert_eq!((read.token.as_str(), read.key.public()), ("a.b.c", user.public()));
        assert_eq!(Credentials::token_of(&text), "a.b.c");
        assert_eq!(Credentials::key_of(&text).unwrap().public(), user.public());
        assert_eq!(format!("{read:?}"), "Credentials { .. }");
    }
}

#[test]
fn files_without_decoration() {
    let account = KeyPair::new(Role::Account, [4; 32]);
    assert_eq!(Credentials::token_of(" a.b.c\n"), "a.b.c");
    assert_eq!(Credentials::key_of(&format!("# key\n  {}\n", account.seed())).unwrap().public(), account.public());
}

#[test]
fn files_that_lack_something() {
    let (user, account) = (KeyPair::new(Role::User, [4; 32]), KeyPair::new(Role::Account, [4; 32]));
    for (text, error) in [
        (String::new(), Error::Missing("a token")),
        ("a.b.c".into(), Error::Missing("a token")),
        ("-----BEGIN NATS USER JWT-----\na.b.c\n".into(), Error::Missing("a token")),
        ("-----BEGIN NATS USER JWT-----\na.b.c\n------END NATS USER JWT------\n".into(), Error::Missing("a seed")),
        (file("a.b.c", ""), Error::Missing("a seed")),
        (file("a.b.c", "SU"), Error::KeyLength),
        (file("a.b.c", &account.seed()), Error::WrongRole("a user")),
        (file("a.b.c", &user.public().to_string()), Error::KeyLength),
    ] {
        assert_eq!(Credentials::parse(&text).unwrap_err(), error, "{text}");
    }
    assert_eq!(Credentials::key_of("nothing").unwrap_err(), Error::Missing("a seed"));
}
