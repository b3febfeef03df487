//! What a path is made of.

use super::filter::Expression;
use super::function::Function;

/// The parts of a path after its `$` or `@`.
#[derive(Debug, Clone)]
pub(super) struct CompiledPath {
    /// Whether it begins with `$`.
    pub(super) is_root: bool,
    pub(super) tokens: Vec<Token>,
    /// For each token, whether all before it point to one value.
    pub(super) upstream: Vec<bool>,
    /// Whether it points to one value.
    is_definite: bool,
    /// Whether all of its tokens are single names or indexes.
    is_plain: bool,
}

/// A part of a path.
#[derive(Debug, Clone)]
pub(super) enum Token {
    /// `.name`, `['name']`, `['one','two']`.
    Properties(Vec<String>),
    /// `[0]`, `[0,1]`, `[-1]`.
    Indexes(Vec<i32>),
    /// `[1:3]`.
    Slice(Slice),
    /// `*`, `[*]`.
    Wildcard,
    /// `..`.
    Scan,
    /// `[?(...)]`.
    Filter(Box<Expression>),
    /// `.length()`.
    Call(Box<Call>),
}

/// The three forms of a slice.
#[derive(Debug, Clone, Copy)]
pub(super) enum Slice {
    From(i32),
    To(i32),
    Between(i32, i32),
}

/// A function with what is in its brackets. Whether there is such a function is seen only when it is called.
#[derive(Debug, Clone)]
pub(super) struct Call {
    pub(super) name: String,
    pub(super) function: Option<Function>,
    pub(super) parameters: Vec<Parameter>,
    /// How many characters are in the brackets.
    pub(super) length: usize,
}

/// What is in the brackets of a function.
#[derive(Debug, Clone)]
pub(super) enum Parameter {
    Json(String),
    Path(CompiledPath),
}

impl CompiledPath {
    pub(super) fn new(is_root: bool, tokens: Vec<Token>) -> Self {
        let mut path = Self { is_root, upstream: Vec::new(), tokens, is_definite: true, is_plain: false };
        let mut definite = true;
        for index in 0..path.tokens.len() {
            path.upstream.push(definite);
            definite = definite && path.is_token_definite(index);
        }
        path.is_definite = definite;
        path.is_plain = path.tokens.iter().all(|token| match token {
            Token::Properties(names) => names.len() == 1,
            Token::Indexes(indexes) => indexes.len() == 1,
            _ => false,
        });
        path.invert()
    }

    pub(super) fn is_leaf(&self, index: usize) -> bool {
        index + 1 >= self.tokens.len()
    }

    /// Whether all tokens before this one point to one value.
    pub(super) fn is_upstream_definite(&self, index: usize) -> bool {
        self.upstream.get(index).copied().unwrap_or(false)
    }

    /// Whether a token points to one value. Several names at the end do: they give one object.
    pub(super) fn is_token_definite(&self, index: usize) -> bool {
        match self.tokens.get(index) {
            Some(Token::Properties(names)) => names.len() == 1 || self.is_leaf(index),
            Some(Token::Indexes(indexes)) => indexes.len() == 1,
            Some(Token::Call(_)) | None => true,
            Some(Token::Slice(_) | Token::Wildcard | Token::Scan | Token::Filter(_)) => false,
        }
    }

    pub(super) fn is_definite(&self) -> bool {
        self.is_definite
    }

    /// Whether all of its tokens are single names or indexes.
    pub(super) fn is_plain(&self) -> bool {
        self.is_plain
    }

    /// Whether it ends with a function.
    pub(super) fn is_function(&self) -> bool {
        matches!(self.tokens.last(), Some(Token::Call(_)))
    }

    /// Makes `$.length($..a)` of `$..a.length()`, so that a function sees all that a scan finds at once.
    fn invert(mut self) -> Self {
        if !self.is_function() || !matches!(self.tokens.first(), Some(Token::Scan)) {
            return self;
        }
        let Some(first) = self.tokens.iter().position(|token| matches!(token, Token::Call(_))) else {
            return self;
        };
        let mut calls = self.tokens.split_off(first);
        let upstream_of_calls = self.upstream.split_off(first);
        // What is scanned points to many values.
        let Self { is_root, tokens, upstream, .. } = self;
        let scanned = Self { is_root, tokens, upstream, is_definite: false, is_plain: false };
        if let Some(Token::Call(call)) = calls.first_mut() {
            call.parameters = vec![Parameter::Path(scanned)];
        }
        let mut inverted = Self {
            is_root: true,
            tokens: calls,
            upstream: upstream_of_calls,
            is_definite: true,
            is_plain: false,
        };
        inverted.is_definite = (0..inverted.tokens.len()).all(|index| inverted.is_token_definite(index));
        inverted
    }

    /// The path to all that is in what it points to; the same path where it ends with a function.
    pub(super) fn children(&self) -> Self {
        let mut path = self.clone();
        if !path.is_function() && !path.tokens.is_empty() {
            path.upstream.push(path.is_definite);
            path.tokens.push(Token::Wildcard);
            path.is_definite = false;
            path.is_plain = false;
        }
        path
    }
}
