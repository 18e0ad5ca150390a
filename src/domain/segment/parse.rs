//! From the tree of a template's expression to conditions; whatever means nothing here is an error with its place.

use jiff::Timestamp;
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use minijinja::Value;
use minijinja::machinery::ast::{BinOpKind, CompareOpKind, Expr, UnaryOpKind};
use minijinja::machinery::{Span, parse_expr};
use minijinja::value::ValueKind;

use super::{Collection, Comparison, Condition, Operand, SegmentError, Segments, Subject};
use crate::domain::{Cadence, Position, SubscriptionState};

/// Bytes of an expression at most.
const LONGEST: usize = 4_096;
/// How deep one may be nested. Databases count, too.
const DEEPEST: usize = 100;

type Result<T> = std::result::Result<T, SegmentError>;

pub(super) fn condition(text: &str, known: &Segments) -> Result<Condition> {
    let plain = |message: &str| SegmentError {
        message: message.to_owned(),
        line: 1,
        column: 1,
        span: 0..0,
    };
    if text.len() > LONGEST {
        return Err(plain("an expression has at most 4096 bytes"));
    }
    if text.trim().is_empty() {
        return Err(plain("the expression is empty"));
    }
    let tree = parse_expr(text).map_err(|error| {
        let detail = error.detail().unwrap_or("this is no expression");
        // It knows no place where it did not get as far as a word.
        let span = error.range().unwrap_or(text.len()..text.len());
        let Position { line, column } = Position::of(text, span.start);
        SegmentError { message: detail.to_owned(), line, column, span }
    })?;
    Reader { known }.condition(&tree, 0)
}

/// What stands on one side of an operator.
enum Side {
    Subject(Subject),
    Collection(Collection),
    /// An attribute may be a value or a list.
    Attribute(Vec<String>),
    Value(Value),
}

struct Reader<'a> {
    known: &'a Segments,
}

impl Reader<'_> {
    fn condition(&self, tree: &Expr<'_>, depth: usize) -> Result<Condition> {
        if depth > DEEPEST {
            return Err(wrong(tree.span(), "the expression is nested too deeply"));
        }
        match tree {
            Expr::BinOp(op) => match op.op {
                BinOpKind::ScAnd => self.joined(tree, BinOpKind::ScAnd, depth).map(Condition::All),
                BinOpKind::ScOr => self.joined(tree, BinOpKind::ScOr, depth).map(Condition::Any),
                kind => match comparison_of(kind) {
                    Some(kind) => self.compare(&op.left, kind, &op.right),
                    None => Err(wrong(op.span(), "there is no arithmetic here")),
                },
            },
            Expr::Compare(chain) => {
                let mut all = Vec::new();
                let mut left = &chain.expr;
                for op in &chain.ops {
                    all.push(self.compare(left, op.op, &op.expr)?);
                    left = &op.expr;
                }
                Ok(one_or(all, Condition::All))
            }
            Expr::UnaryOp(op) if matches!(op.op, UnaryOpKind::Not) => {
                Ok(Condition::Not(Box::new(self.condition(&op.expr, depth + 1)?)))
            }
            Expr::Test(test) => {
                let Side::Attribute(path) = self.side(&test.expr)? else {
                    return Err(wrong(test.span(), "only attributes may be unknown"));
                };
                match test.name {
                    "defined" if test.args.is_empty() => Ok(Condition::IsKnown(path)),
                    "undefined" if test.args.is_empty() => {
                        Ok(Condition::Not(Box::new(Condition::IsKnown(path))))
                    }
                    other => Err(wrong(
                        test.span(),
                        format!("`is {other}` means nothing here; there is `is defined`"),
                    )),
                }
            }
            Expr::Var(name) if self.known.contains_key(name.id) => {
                Ok(self.known[name.id].condition().clone())
            }
            Expr::Const(value) if value.value.kind() == ValueKind::Bool => {
                Ok(if value.value.is_true() {
                    Condition::All(Vec::new())
                } else {
                    Condition::Any(Vec::new())
                })
            }
            _ => match self.side(tree)? {
                Side::Attribute(path) => Ok(Condition::Compare(
                    Subject::Attribute(path),
                    Comparison::Equal,
                    Operand::Truth(true),
                )),
                _ => Err(wrong(tree.span(), "this says nothing yet: compare it with something")),
            },
        }
    }

    /// `a and b and c` is one list and not a tower.
    fn joined(&self, tree: &Expr<'_>, kind: BinOpKind, depth: usize) -> Result<Vec<Condition>> {
        let mut parts = Vec::new();
        let mut rest = tree;
        while let Expr::BinOp(op) = rest
            && std::mem::discriminant(&op.op) == std::mem::discriminant(&kind)
        {
            parts.push(&op.right);
            rest = &op.left;
        }
        parts.push(rest);
        if parts.len() > DEEPEST {
            return Err(wrong(tree.span(), "the expression has too many parts"));
        }
        parts.into_iter().rev().map(|part| self.condition(part, depth + 1)).collect()
    }

    fn compare(&self, left: &Expr<'_>, op: CompareOpKind, right: &Expr<'_>) -> Result<Condition> {
        let not = |condition| Condition::Not(Box::new(condition));
        match op {
            CompareOpKind::In => self.is_in(left, right),
            CompareOpKind::NotIn => self.is_in(left, right).map(not),
            CompareOpKind::Ne => self.ordered(left, Comparison::Equal, right).map(not),
            CompareOpKind::Eq => self.ordered(left, Comparison::Equal, right),
            CompareOpKind::Lt => self.ordered(left, Comparison::Less, right),
            CompareOpKind::Lte => self.ordered(left, Comparison::LessOrEqual, right),
            CompareOpKind::Gt => self.ordered(left, Comparison::Greater, right),
            CompareOpKind::Gte => self.ordered(left, Comparison::GreaterOrEqual, right),
        }
    }

    fn ordered(&self, left: &Expr<'_>, how: Comparison, right: &Expr<'_>) -> Result<Condition> {
        let (subject, how, value, span) = match (self.side(left)?, self.side(right)?) {
            (Side::Value(_), Side::Value(_)) => {
                return Err(wrong(left.span(), "this compares nothing of a subscriber"));
            }
            (Side::Value(value), subject) => (subject, how.turned(), value, left.span()),
            (subject, Side::Value(value)) => (subject, how, value, right.span()),
            _ => return Err(wrong(right.span(), "compare with a text or a number")),
        };
        let subject = match subject {
            Side::Subject(subject) => subject,
            Side::Attribute(path) => Subject::Attribute(path),
            Side::Collection(_) | Side::Value(_) => {
                return Err(wrong(left.span(), "this is a list: ask `\"word\" in` it"));
            }
        };
        let operand = operand(&subject, how, &value, span)?;
        Ok(Condition::Compare(subject, how, operand))
    }

    fn is_in(&self, left: &Expr<'_>, right: &Expr<'_>) -> Result<Condition> {
        match (self.side(left)?, self.side(right)?) {
            (Side::Value(value), Side::Collection(list)) => {
                Ok(Condition::Has(list, text(&value, left.span())?))
            }
            (Side::Value(value), Side::Attribute(path)) => {
                Ok(Condition::Has(Collection::Attribute(path), text(&value, left.span())?))
            }
            (Side::Value(value), Side::Subject(subject)) if subject.is_text() => {
                Ok(Condition::Contains(subject, text(&value, left.span())?))
            }
            (Side::Subject(subject), Side::Value(list)) => one_of(subject, &list, right.span()),
            (Side::Attribute(path), Side::Value(list)) => {
                one_of(Subject::Attribute(path), &list, right.span())
            }
            _ => Err(wrong(
                left.span(),
                "write `\"word\" in tags`, or `language in [\"de\", \"en\"]`",
            )),
        }
    }

    fn side(&self, tree: &Expr<'_>) -> Result<Side> {
        if is_plain(tree)
            && let Some(value) = tree.as_const()
        {
            return Ok(Side::Value(value));
        }
        match tree {
            Expr::Var(name) => match name.id {
                "tags" => Ok(Side::Collection(Collection::Tags)),
                "topics" => Ok(Side::Collection(Collection::Topics)),
                "attributes" => Err(wrong(name.span(), "say which: `attributes.city`")),
                id => {
                    subject_of(id).map(Side::Subject).ok_or_else(|| self.unknown(id, name.span()))
                }
            },
            Expr::GetAttr(_) | Expr::GetItem(_) => attribute(tree).map(Side::Attribute),
            Expr::Filter(filter) => Err(wrong(filter.span(), "there are no filters here")),
            Expr::Call(call) => Err(wrong(call.span(), "there are no functions here")),
            _ => Err(wrong(tree.span(), "this means nothing here")),
        }
    }

    fn unknown(&self, id: &str, span: Span) -> SegmentError {
        const WORDS: &str = "`email`, `name`, `tags`, `topics`, `attributes.NAME`, `newsletter`, `cadence`, `language`, `timezone`, \
                             `source`, `state`, `signed_up`, `confirmed`, `days`";
        let segments: Vec<_> = self.known.keys().map(|name| format!(", `{name}`")).collect();
        wrong(span, format!("`{id}` is not known; there is {WORDS}{}", segments.concat()))
    }
}

/// A value as it was written. What would have to be worked out first is not: it might not fit into memory.
fn is_plain(tree: &Expr<'_>) -> bool {
    match tree {
        Expr::Const(_) => true,
        Expr::List(list) => list.items.iter().all(|item| matches!(item, Expr::Const(_))),
        Expr::UnaryOp(op) => matches!((&op.op, &op.expr), (UnaryOpKind::Neg, Expr::Const(_))),
        _ => false,
    }
}

impl Subject {
    fn is_text(&self) -> bool {
        !matches!(self, Self::SignedUp | Self::Confirmed | Self::Days)
    }
}

impl Comparison {
    /// `3 < days` is `days > 3`.
    fn turned(self) -> Self {
        match self {
            Self::Equal => Self::Equal,
            Self::Less => Self::Greater,
            Self::LessOrEqual => Self::GreaterOrEqual,
            Self::Greater => Self::Less,
            Self::GreaterOrEqual => Self::LessOrEqual,
        }
    }
}

fn comparison_of(kind: BinOpKind) -> Option<CompareOpKind> {
    Some(match kind {
        BinOpKind::Eq => CompareOpKind::Eq,
        BinOpKind::Ne => CompareOpKind::Ne,
        BinOpKind::Lt => CompareOpKind::Lt,
        BinOpKind::Lte => CompareOpKind::Lte,
        BinOpKind::Gt => CompareOpKind::Gt,
        BinOpKind::Gte => CompareOpKind::Gte,
        BinOpKind::In => CompareOpKind::In,
        _ => return None,
    })
}

pub(super) fn subject_of(id: &str) -> Option<Subject> {
    Some(match id {
        "email" => Subject::Email,
        "name" => Subject::Name,
        "newsletter" => Subject::Newsletter,
        "cadence" => Subject::Cadence,
        "language" => Subject::Language,
        "timezone" => Subject::Timezone,
        "source" => Subject::Source,
        "state" => Subject::State,
        "signed_up" => Subject::SignedUp,
        "confirmed" => Subject::Confirmed,
        "days" => Subject::Days,
        _ => return None,
    })
}

/// The names after `attributes`.
fn attribute(tree: &Expr<'_>) -> Result<Vec<String>> {
    let mut names = Vec::new();
    let mut rest = tree;
    loop {
        rest = match rest {
            Expr::GetAttr(get) => {
                names.push(get.name.to_owned());
                &get.expr
            }
            Expr::GetItem(get) => {
                let name = if is_plain(&get.subscript_expr) {
                    get.subscript_expr.as_const()
                } else {
                    None
                };
                let name = name.as_ref().and_then(Value::as_str);
                let name = name.ok_or_else(|| {
                    wrong(get.span(), "an attribute has a name: `attributes[\"shoe size\"]`")
                })?;
                names.push(name.to_owned());
                &get.expr
            }
            Expr::Var(name) if name.id == "attributes" => break,
            other => {
                return Err(wrong(other.span(), "only `attributes` have parts: `attributes.city`"));
            }
        };
    }
    if names.len() > 8
        || names.iter().any(|name| name.contains(['"', '\\']) || name.contains(char::is_control))
    {
        return Err(wrong(tree.span(), "no attribute is called so"));
    }
    names.reverse();
    Ok(names)
}

fn one_of(subject: Subject, list: &Value, span: Span) -> Result<Condition> {
    if list.kind() != ValueKind::Seq {
        return Err(wrong(span, "write a list: `[\"de\", \"en\"]`"));
    }
    let values: Vec<_> = list.try_iter().map(Iterator::collect).unwrap_or_default();
    let operands: Result<Vec<_>> =
        values.iter().map(|value| operand(&subject, Comparison::Equal, value, span)).collect();
    Ok(Condition::OneOf(subject, operands?))
}

/// What `value` means beside `subject`.
fn operand(subject: &Subject, how: Comparison, value: &Value, span: Span) -> Result<Operand> {
    let is_number = value.kind() == ValueKind::Number;
    match subject {
        Subject::SignedUp | Subject::Confirmed => {
            let written = text(value, span)?;
            moment(&written).map(Operand::Moment).ok_or_else(|| {
                wrong(span, "this is no date: write `\"2026-01-31\"`, which begins at midnight UTC")
            })
        }
        Subject::Days => {
            let days = if is_number { f64::try_from(value.clone()).ok() } else { None };
            days.map(Operand::Number).ok_or_else(|| wrong(span, "`days` is a number"))
        }
        Subject::Attribute(_) => match value.kind() {
            ValueKind::Number => f64::try_from(value.clone())
                .map(Operand::Number)
                .map_err(|_| wrong(span, "this number is too large")),
            ValueKind::Bool if how == Comparison::Equal => Ok(Operand::Truth(value.is_true())),
            _ => text(value, span).map(Operand::Text),
        },
        Subject::Cadence | Subject::State => {
            let word = text(value, span)?.to_lowercase();
            let is_known = match subject {
                Subject::Cadence => word.parse::<Cadence>().is_ok(),
                _ => word.parse::<SubscriptionState>().is_ok(),
            };
            if how != Comparison::Equal {
                return Err(wrong(span, "this has no order: use `==`, `!=` or `in`"));
            }
            if is_known {
                Ok(Operand::Text(word))
            } else {
                Err(wrong(span, format!("there is no `{word}`")))
            }
        }
        Subject::Email => text(value, span).map(|text| Operand::Text(text.to_lowercase())),
        _ => text(value, span).map(Operand::Text),
    }
}

/// A day begins at midnight UTC.
fn moment(text: &str) -> Option<Timestamp> {
    text.parse().ok().or_else(|| {
        let midnight = text.parse::<Date>().ok()?.to_datetime(Time::midnight());
        TimeZone::UTC.to_timestamp(midnight).ok()
    })
}

fn text(value: &Value, span: Span) -> Result<String> {
    let found = value
        .as_str()
        .map(str::to_owned)
        .or_else(|| (value.kind() == ValueKind::Number).then(|| value.to_string()));
    // No database takes it in a text.
    found
        .filter(|text| !text.contains('\0'))
        .ok_or_else(|| wrong(span, "write a text in quotation marks"))
}

fn one_or(mut all: Vec<Condition>, join: fn(Vec<Condition>) -> Condition) -> Condition {
    if all.len() == 1 { all.remove(0) } else { join(all) }
}

fn wrong(span: Span, message: impl Into<String>) -> SegmentError {
    SegmentError {
        message: message.into(),
        line: span.start_line.into(),
        column: usize::from(span.start_col) + 1,
        span: span.start_offset as usize..span.end_offset as usize,
    }
}
