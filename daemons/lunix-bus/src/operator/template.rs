//! Subjects of scoped signing keys with the user's name, tags and so on filled in.
//!
//! A token `{{name()}}`, `{{subject()}}`, `{{account-name()}}`, `{{account-subject()}}`, `{{tag(key)}}` or `{{account-tag(key)}}` is
//! replaced; for a key with several tags `key:value` the subject is made once for each.

use nats_keys::{Account, Claims, Permission, Permissions, User};
use nats_subject::is_valid_subscription;

/// Subjects that one template may become.
const SUBJECTS_MAX: usize = 1024;

/// Whose values are filled in.
#[derive(Clone, Copy, Debug)]
pub(super) struct Values<'a> {
    pub(super) user: &'a Claims<User>,
    pub(super) account: &'a Claims<Account>,
}

/// The permissions with everything filled in. A subject that cannot be made is left out where it would allow, and is an error where it
/// would deny; when nothing allowed is left, nothing is allowed.
pub(super) fn fill(template: &Permissions, values: Values<'_>) -> Result<Permissions, &'static str> {
    Ok(Permissions {
        publish: fill_rule(&template.publish, values)?,
        subscribe: fill_rule(&template.subscribe, values)?,
        responses: template.responses,
    })
}

fn fill_rule(rule: &Permission, values: Values<'_>) -> Result<Permission, &'static str> {
    let Some(templates) = &rule.allow else {
        return Ok(Permission { allow: None, deny: fill_all(&rule.deny, values, true)? });
    };
    let allow = fill_all(templates, values, false)?;
    let mut deny = fill_all(&rule.deny, values, true)?;
    if allow.is_empty() && !templates.is_empty() && !deny.iter().any(|subject| subject == ">") {
        deny.push(">".into());
    }
    Ok(Permission { allow: Some(allow), deny })
}

fn fill_all(subjects: &[String], values: Values<'_>, strict: bool) -> Result<Vec<String>, &'static str> {
    let mut filled = Vec::new();
    for subject in subjects {
        if !subject.contains("{{") {
            filled.push(subject.clone());
            continue;
        }
        for subject in fill_one(subject, values)? {
            if is_valid_subscription(subject.as_bytes()) {
                filled.push(subject);
            } else if strict {
                return Err("template makes an invalid subject");
            }
        }
    }
    if filled.len() > SUBJECTS_MAX { Err("template makes too many subjects") } else { Ok(filled) }
}

/// All subjects that a template becomes.
fn fill_one(template: &str, values: Values<'_>) -> Result<Vec<String>, &'static str> {
    let mut made = vec![String::new()];
    for (place, token) in template.split('.').enumerate() {
        let choices = choices(token, values);
        if made.len().saturating_mul(choices.len()) > SUBJECTS_MAX {
            return Err("template makes too many subjects");
        }
        let dot = if place == 0 { "" } else { "." };
        made =
            made.iter().flat_map(|begun| choices.iter().map(move |choice| format!("{begun}{dot}{choice}"))).collect();
    }
    Ok(made)
}

/// What may stand for a token; an empty text, which no subject holds, when there is nothing.
fn choices(token: &str, values: Values<'_>) -> Vec<String> {
    let Some(inner) = token.strip_prefix("{{").and_then(|rest| rest.strip_suffix("}}")) else {
        return vec![token.to_owned()];
    };
    let inner = inner.to_ascii_lowercase();
    let tag = |prefix: &str| Some(format!("{}:", inner.strip_prefix(prefix)?.strip_suffix(')')?));
    match inner.as_str() {
        "name()" => vec![values.user.name.clone()],
        "subject()" => vec![values.user.subject.clone()],
        "account-name()" => vec![values.account.name.clone()],
        "account-subject()" => vec![values.user.body.issuer_account.clone()],
        _ => match (tag("tag("), tag("account-tag(")) {
            (Some(key), _) => tagged(&values.user.tags, &key),
            (None, Some(key)) => tagged(&values.account.tags, &key),
            (None, None) => vec![String::new()],
        },
    }
}

fn tagged(tags: &[String], key: &str) -> Vec<String> {
    let found: Vec<_> = tags.iter().filter_map(|tag| tag.strip_prefix(key)).map(str::to_owned).collect();
    if found.is_empty() { vec![String::new()] } else { found }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(words: &[&str]) -> Vec<String> {
        words.iter().map(|&word| word.to_owned()).collect()
    }

    fn filled(allow: &[&str], deny: &[&str]) -> Result<(Vec<String>, Vec<String>), &'static str> {
        let mut user = Claims::new(User { issuer_account: "AACC".into(), ..User::default() });
        (user.name, user.subject) = ("ada".into(), "UADA".into());
        user.tags = texts(&["team:red", "team:blue", "empty:", "dot:a.b"]);
        let mut account = Claims::new(Account::default());
        (account.name, account.tags) = ("acme".into(), texts(&["place:here"]));
        let rule = Permission { allow: Some(texts(allow)), deny: texts(deny) };
        let values = Values { user: &user, account: &account };
        fill_rule(&rule, values).map(|rule| (rule.allow.unwrap_or_default(), rule.deny))
    }

    #[test]
    fn what_templates_become() {
        for (template, subjects) in [
            ("a.b", &["a.b"][..]),
            ("a.{{name()}}.>", &["a.ada.>"]),
            ("{{SUBJECT()}}", &["UADA"]),
            ("{{account-name()}}.{{account-subject()}}", &["acme.AACC"]),
            ("t.{{tag(team)}}", &["t.red", "t.blue"]),
            ("{{tag(team)}}.{{Tag(Team)}}", &["red.red", "red.blue", "blue.red", "blue.blue"]),
            ("{{account-tag(place)}}.x", &["here.x"]),
            ("{{tag(dot)}}", &["a.b"]),
        ] {
            assert_eq!(filled(&[template], &[]).unwrap(), (texts(subjects), vec![]), "{template}");
        }
    }

    #[test]
    fn what_cannot_be_made_is_never_allowed() {
        for template in ["{{tag(none)}}", "a.{{tag(empty)}}", "{{unknown()}}.a", "{{name}}", "{{account-tag(none)}}"] {
            assert_eq!(filled(&[template], &[]).unwrap(), (vec![], texts(&[">"])), "{template}");
            assert_eq!(filled(&[template, "b"], &[]).unwrap(), (texts(&["b"]), vec![]), "{template}");
            assert!(filled(&[], &[template]).is_err(), "{template}");
        }
        let many = ["{{tag(team)}}"; 11].join(".");
        assert!(filled(&[&many], &[]).is_err());
    }
}
