//! A file as its tokens.

use std::cell::OnceCell;
use std::collections::HashSet;

use crate::model::Span;
use crate::token::{Token, TokenKind};

/// A file as its tokens; everything below works on indices into `tokens`.
pub(super) struct File<'s> {
    pub(super) source: &'s [u8],
    /// All tokens but comments.
    pub(super) tokens: Vec<Token>,
    pub(super) comments: Vec<Span>,
    /// For an opening bracket its closing one and the other way round.
    pub(super) pairs: Vec<Option<u32>>,
    /// How many `func` stand before each token (one entry more than tokens).
    funcs_before: Vec<u32>,
    /// The names that it declares as constants outside functions, once somebody asked.
    pub(super) constants: OnceCell<HashSet<&'s [u8]>>,
}

impl<'s> File<'s> {
    pub(super) fn new(source: &'s [u8], all: &[Token]) -> Self {
        let (mut tokens, mut comments) = (Vec::with_capacity(all.len()), Vec::new());
        for token in all {
            if token.kind == TokenKind::Comment {
                comments.push(token.span);
            } else {
                tokens.push(*token);
            }
        }
        let mut funcs_before = Vec::with_capacity(tokens.len() + 1);
        let mut count = 0;
        for token in &tokens {
            funcs_before.push(count);
            count += u32::from(token.is(source, b"func"));
        }
        funcs_before.push(count);
        let pairs = vec![None; tokens.len()];
        Self {
            source,
            tokens,
            comments,
            pairs,
            funcs_before,
            constants: OnceCell::new(),
        }
    }

    pub(super) fn text(&self, at: usize) -> &'s [u8] {
        self.tokens
            .get(at)
            .map_or(b"", |token| token.text(self.source))
    }

    pub(super) fn kind(&self, at: usize) -> Option<TokenKind> {
        self.tokens.get(at).map(|token| token.kind)
    }

    /// Whether the token is this operator or keyword.
    pub(super) fn is<const N: usize>(&self, at: usize, text: &[u8; N]) -> bool {
        self.tokens
            .get(at)
            .is_some_and(|token| token.is(self.source, text))
    }

    pub(super) fn is_ident(&self, at: usize) -> bool {
        self.kind(at) == Some(TokenKind::Ident)
    }

    pub(super) fn is_semicolon(&self, at: usize) -> bool {
        self.tokens
            .get(at)
            .is_some_and(|token| token.is_semicolon(self.source))
    }

    pub(super) fn pair(&self, at: usize) -> Option<usize> {
        self.pairs.get(at).copied().flatten().map(|at| at as usize)
    }

    pub(super) fn start(&self, at: usize) -> usize {
        self.tokens
            .get(at)
            .map_or(self.source.len(), |token| token.span.start)
    }

    pub(super) fn end(&self, at: usize) -> usize {
        self.tokens
            .get(at)
            .map_or(self.source.len(), |token| token.span.end)
    }

    /// From the first to the last token, both included.
    pub(super) fn span(&self, first: usize, last: usize) -> Span {
        Span::new(self.start(first), self.end(last))
    }

    /// Whether a `func` stands among these tokens.
    pub(super) fn has_func(&self, first: usize, last: usize) -> bool {
        self.funcs_before[first] != self.funcs_before[last + 1]
    }

    pub(super) fn name(&self, at: usize) -> String {
        String::from_utf8_lossy(self.text(at)).into_owned()
    }
}
