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
}

/// What is in the brackets of a function.
#[derive(Debug, Clone)]
pub(super) enum Parameter {
    Json(String),
    Path(CompiledPath),
}

impl CompiledPath {
    pub(super) fn new(is_root: bool, tokens: Vec<Token>) -> Self {
        let mut path = Self { is_root, upstream: Vec::new(), tokens };
        let mut definite = true;
        for index in 0..path.tokens.len() {
            path.upstream.push(definite);
            definite = definite && path.is_token_definite(index);
        }
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
        (0..self.tokens.len()).all(|index| self.is_token_definite(index))
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
        let upstream = self.upstream.split_off(first);
        let scanned = Self { is_root: self.is_root, tokens: self.tokens, upstream: self.upstream };
        if let Some(Token::Call(call)) = calls.first_mut() {
            call.parameters = vec![Parameter::Path(scanned)];
        }
        Self { is_root: true, tokens: calls, upstream }
    }
}
