//! Mail: posts and templates become a frozen edition, and that a blueprint that is filled for one recipient at a time.
//!
//! Pure. `compose_edition` is done once an edition and its result kept; `Blueprint::new` once a process and edition, for
//! everything that all recipients share; `Blueprint::fill` splices in what is one recipient's own, and signs it.

mod blueprint;
mod body;
mod compose;
mod dkim;
mod fit;
mod header;
mod images;
mod pieces;
mod prose;
mod quoted;
mod return_path;
#[cfg(test)]
mod tests;

pub use blueprint::{Blueprint, BlueprintError, Envelope, FeedbackId, ListHeaders, Recipient};
pub use compose::{
    Composed, ConfirmationInput, EditionInput, LetterInput, compose_address, compose_confirmation,
    compose_correction, compose_edition, compose_moved, compose_welcome, newsletter_context,
    site_context,
};
pub use dkim::{DkimFault, verify};
pub use images::{InlineImage, MOST_IMAGE_BYTES, inline_images};
pub use return_path::ReturnPath;

/// Where the recipients' unsubscribe links begin: `{public_url}unsubscribe/`. The token is all that follows.
pub fn unsubscribe_base(public_url: &url::Url) -> String {
    format!("{public_url}unsubscribe/")
}
