//! Who may ask for what.

use serde::{Deserialize, Serialize};

/// Whom on the bus commands are taken from. A client can write any header where nobody takes it away, so that the bus does so must be said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trust {
    /// From nobody.
    #[default]
    Nobody,
    /// The bus has accounts, as the shipped policy describes them: in our own there are only root and daemons, whose permissions the bus checks; requests
    /// from others carry `Nats-Request-Info`.
    Accounts,
    /// From everybody who reaches the bus.
    Anyone,
}

/// What a question needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// It only looks at states and numbers.
    Nothing,
    /// It reads what services write: root and the group `adm`.
    Log,
    /// It changes something: root, the user that natsinit runs as, and the group `session`.
    Command,
}

/// Who asks, as far as the bus says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Who {
    /// Somebody in our own account.
    Near,
    /// Somebody in another account; the bus does not say which user.
    Unnamed,
    /// A user of this machine.
    User {
        /// Root, or the user that natsinit runs as.
        is_owner: bool,
        /// In the group `session`.
        in_session: bool,
        /// In the group `adm`.
        in_adm: bool,
    },
}

impl Trust {
    /// Whether the question may be asked.
    ///
    /// # Errors
    /// A sentence why not.
    pub fn permit(self, needs: Needs, who: &Who) -> Result<(), &'static str> {
        match (needs, self, who) {
            (Needs::Nothing, _, _) | (_, Self::Anyone, _) | (_, Self::Accounts, Who::Near) => Ok(()),
            (_, Self::Nobody, _) => Err(
                "natsinit trusts nobody on this bus: trust = \"accounts\" in natsinit.toml says that the bus has accounts",
            ),
            (_, Self::Accounts, Who::Unnamed) => Err("the bus does not say which user asks"),
            (_, Self::Accounts, Who::User { is_owner: true, .. })
            | (Needs::Log, Self::Accounts, Who::User { in_adm: true, .. })
            | (Needs::Command, Self::Accounts, Who::User { in_session: true, .. }) => Ok(()),
            (Needs::Log, Self::Accounts, Who::User { .. }) => Err("what services write is for root and the group adm"),
            (Needs::Command, Self::Accounts, Who::User { .. }) => {
                Err("commands are taken from root and the group session")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_may_do_what() {
        let user = |is_owner, in_session, in_adm| Who::User { is_owner, in_session, in_adm };
        let all =
            [Who::Near, Who::Unnamed, user(true, false, false), user(false, true, false), user(false, false, true)];
        let may = |trust: Trust, needs| all.iter().map(|who| trust.permit(needs, who).is_ok()).collect::<Vec<_>>();
        assert_eq!(may(Trust::Nobody, Needs::Nothing), [true; 5]);
        assert_eq!(may(Trust::Nobody, Needs::Log), [false; 5]);
        assert_eq!(may(Trust::Nobody, Needs::Command), [false; 5]);
        assert_eq!(may(Trust::Anyone, Needs::Command), [true; 5]);
        assert_eq!(may(Trust::Accounts, Needs::Nothing), [true; 5]);
        assert_eq!(may(Trust::Accounts, Needs::Log), [true, false, true, false, true]);
        assert_eq!(may(Trust::Accounts, Needs::Command), [true, false, true, true, false]);
    }
}
