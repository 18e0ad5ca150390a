//! Secrets: given in place or in a file of their own, never both, never shown.

use std::fs;

use super::Context;
use crate::config::Secret;
use crate::domain::Diagnostic;

/// No password or key is longer.
const MOST_BYTES: u64 = 64 * 1024;

/// The secret `key` of `section`, from the key itself or from the file that `key_file` names.
/// `Err` when it is wrong, which the report says.
pub(super) fn one_of(
    section: &str,
    key: &str,
    given: (Option<&str>, Option<&str>),
    context: &mut Context<'_>,
) -> Result<Option<Secret>, ()> {
    let path = format!("{section}.{key}");
    let file_path = format!("{section}.{key}_file");
    match given {
        (None, None) => Ok(None),
        (Some(_), Some(_)) => {
            let message = format!("both `{key}` and `{key}_file` are set");
            context.error(&file_path, message, "keep one of them");
            Err(())
        }
        (Some(text), None) if text.trim().is_empty() => {
            context.error(&path, format!("`{key}` is empty"), "leave it out, or fill it in");
            Err(())
        }
        (Some(text), None) => Ok(Some(Secret::new(text))),
        (None, Some(file)) => read(&file_path, file, context).map(Some).ok_or(()),
    }
}

/// Reads the secret in `file`, which the key `path` names, without the line's end.
pub(super) fn read(path: &str, file: &str, context: &mut Context<'_>) -> Option<Secret> {
    let on_disk = context.path(file);
    let metadata = match fs::metadata(&on_disk) {
        Ok(metadata) => metadata,
        Err(error) => {
            let message = format!("cannot read the secret file `{file}`: {error}");
            let help = format!("create `{}`, readable for Postrider alone", on_disk.display());
            context.error(path, message, help);
            return None;
        }
    };
    if !metadata.is_file() || metadata.len() > MOST_BYTES {
        let message = format!("`{file}` is not a small text file");
        context.error(path, message, "it should hold the secret and nothing else");
        return None;
    }
    warn_of_readers(path, file, &metadata, context);
    let text = match fs::read_to_string(&on_disk) {
        Ok(text) => text,
        Err(error) => {
            let message = format!("cannot read the secret file `{file}`: {error}");
            context.error(path, message, "it must be text, and readable for Postrider");
            return None;
        }
    };
    let secret = text.trim_end_matches(['\n', '\r']);
    if secret.trim().is_empty() {
        context.error(path, format!("the secret file `{file}` is empty"), "put the secret into it");
        return None;
    }
    Some(Secret::new(secret))
}

#[cfg(unix)]
fn warn_of_readers(path: &str, file: &str, metadata: &fs::Metadata, context: &mut Context<'_>) {
    use std::os::unix::fs::PermissionsExt;
    if metadata.permissions().mode() & 0o004 != 0 {
        let message = format!("everybody on this machine can read the secret file `{file}`");
        let warning = Diagnostic::warning("readable-secret", message);
        context.report.add(path, warning.help(format!("run `chmod o-rwx {file}`")));
    }
}

#[cfg(not(unix))]
fn warn_of_readers(_: &str, _: &str, _: &fs::Metadata, _: &mut Context<'_>) {}
