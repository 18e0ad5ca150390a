//! Mail: posts and templates become a frozen edition, and that a blueprint that is filled for one recipient at a time.
//!
//! Pure. `compose_edition` is done once an edition and its result kept; `Blueprint::new` once a process and edition, for
//! everything that all recipients share; `Blueprint::fill` splices in what is one recipient's own.

mod blueprint;
mod compose;
mod fit;
mod prose;
mod quoted;
#[cfg(test)]
mod tests;

pub use blueprint::{Blueprint, BlueprintError, Envelope, ListHeaders, Recipient};
pub use compose::{
    Composed, ConfirmationInput, EditionInput, compose_confirmation, compose_edition,
    newsletter_context, site_context,
};

/// Where the recipients' unsubscribe links begin: `{public_url}unsubscribe/`. The token is all that follows.
pub fn unsubscribe_base(public_url: &url::Url) -> String {
    format!("{public_url}unsubscribe/")
}
