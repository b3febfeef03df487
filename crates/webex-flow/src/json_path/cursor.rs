//! A position in a text with an end that can be moved inwards. Looking beyond the text is a failure of its own kind, because the
//! library tells it from a fault in the syntax.

use super::compile::Refusal;

/// Characters, a position and the last position that counts.
pub(super) struct Cursor {
    characters: Vec<char>,
    position: usize,
    /// One past the last character that counts.
    end: usize,
}

impl Cursor {
    pub(super) fn new(text: &str) -> Self {
        let characters: Vec<char> = text.chars().collect();
        let end = characters.len();
        Self { characters, position: 0, end }
    }

    pub(super) fn position(&self) -> usize {
        self.position
    }

    pub(super) fn set_position(&mut self, position: usize) {
        self.position = position;
    }

    pub(super) fn advance(&mut self, count: usize) {
        self.position = self.position.saturating_add(count);
    }

    /// One past the last character that counts.
    pub(super) fn end(&self) -> usize {
        self.end
    }

    pub(super) fn drop_last(&mut self) {
        self.end = self.end.saturating_sub(1);
    }

    /// A character by index, even beyond the end that counts.
    pub(super) fn at(&self, index: usize) -> Result<char, Refusal> {
        self.characters.get(index).copied().ok_or(Refusal::Beyond)
    }

    pub(super) fn current(&self) -> Result<char, Refusal> {
        self.at(self.position)
    }

    pub(super) fn current_is(&self, expected: char) -> Result<bool, Refusal> {
        Ok(self.current()? == expected)
    }

    pub(super) fn last_is(&self, expected: char) -> Result<bool, Refusal> {
        Ok(self.at(self.end.checked_sub(1).ok_or(Refusal::Beyond)?)? == expected)
    }

    pub(super) fn next_is(&self, expected: char) -> bool {
        self.in_bounds_at(self.position + 1) && self.characters.get(self.position + 1) == Some(&expected)
    }

    pub(super) fn in_bounds_at(&self, index: usize) -> bool {
        index < self.end
    }

    pub(super) fn in_bounds(&self) -> bool {
        self.in_bounds_at(self.position)
    }

    /// Whether nothing follows the current character.
    pub(super) fn is_tail(&self) -> bool {
        self.position + 1 >= self.end
    }

    /// The text from `from` up to `to`.
    pub(super) fn text(&self, from: usize, to: usize) -> Result<String, Refusal> {
        self.characters.get(from..to).map(|part| part.iter().collect()).ok_or(Refusal::Beyond)
    }

    /// All of it, for messages.
    pub(super) fn whole(&self) -> String {
        self.characters.iter().collect()
    }

    /// Skips blanks, but never the last character.
    pub(super) fn skip_blanks(&mut self) {
        while self.position + 1 < self.end && self.characters.get(self.position) == Some(&' ') {
            self.position += 1;
        }
    }

    /// Skips blanks at both ends.
    pub(super) fn trim(&mut self) {
        self.skip_blanks();
        while self.position + 1 < self.end && self.characters.get(self.end - 1) == Some(&' ') {
            self.end -= 1;
        }
    }

    /// The first index after `start` that holds no blank.
    fn index_after_blanks(&self, start: usize) -> usize {
        let mut index = start + 1;
        while self.in_bounds_at(index) && self.characters.get(index) == Some(&' ') {
            index += 1;
        }
        index
    }

    /// Where the next character that is no blank is, if it is `expected`.
    pub(super) fn index_of_next(&self, start: usize, expected: char) -> Result<Option<usize>, Refusal> {
        let index = self.index_after_blanks(start);
        Ok((self.at(index)? == expected).then_some(index))
    }

    /// The next character that is no blank; a blank at the end.
    pub(super) fn next_significant(&self, start: usize) -> char {
        let index = self.index_after_blanks(start);
        if self.in_bounds_at(index) { self.characters.get(index).copied().unwrap_or(' ') } else { ' ' }
    }

    /// Whether the next character that is no blank is `expected`.
    pub(super) fn next_significant_is(&self, start: usize, expected: char) -> bool {
        let index = self.index_after_blanks(start);
        self.in_bounds_at(index) && self.characters.get(index) == Some(&expected)
    }

    /// Where the character before the current one is that is no blank.
    pub(super) fn index_of_previous(&self) -> Option<usize> {
        let before = self.characters.get(..self.position.min(self.end))?;
        if self.position > self.end {
            return None;
        }
        before.iter().rposition(|character| *character != ' ')
    }

    /// Where `wanted` is next.
    pub(super) fn index_of(&self, start: usize, wanted: char) -> Option<usize> {
        self.characters.get(start..self.end)?.iter().position(|found| *found == wanted).map(|at| at + start)
    }

    /// Where `wanted` is next without a backslash before it.
    pub(super) fn index_of_unescaped(&self, start: usize, wanted: char) -> Option<usize> {
        let mut escaped = false;
        for index in start + 1..self.end {
            let character = *self.characters.get(index)?;
            if escaped {
                escaped = false;
            } else if character == '\\' {
                escaped = true;
            } else if character == wanted {
                return Some(index);
            }
        }
        None
    }

    /// Where the bracket at `start` is closed, with strings skipped, and patterns if wanted.
    pub(super) fn index_of_closing(
        &self,
        start: usize,
        (open, close): (char, char),
        skip_patterns: bool,
    ) -> Result<Option<usize>, Refusal> {
        let mut opened = 1_usize;
        let mut index = start + 1;
        while self.in_bounds_at(index) {
            let quote = self.at(index)?;
            if quote == '\'' || quote == '"' {
                index = self.end_of_quoted(index, quote)?;
            }
            if skip_patterns && self.at(index)? == '/' {
                index = self.end_of_quoted(index, '/')?;
            }
            let character = self.at(index)?;
            if character == open {
                opened += 1;
            }
            if character == close {
                opened -= 1;
                if opened == 0 {
                    return Ok(Some(index));
                }
            }
            index += 1;
        }
        Ok(None)
    }

    fn end_of_quoted(&self, start: usize, quote: char) -> Result<usize, Refusal> {
        let end = self.index_of_unescaped(start, quote);
        end.map(|end| end + 1)
            .ok_or_else(|| Refusal::invalid(format!("{quote} is not closed in {}", self.whole())))
    }

    /// Reads one character after blanks.
    pub(super) fn expect(&mut self, expected: char) -> Result<(), Refusal> {
        self.skip_blanks();
        if self.current()? != expected {
            return Err(Refusal::invalid(format!(
                "expected {expected} at {} of {}",
                self.position,
                self.whole()
            )));
        }
        self.advance(1);
        Ok(())
    }

    /// Reads a text after blanks, if it is there.
    pub(super) fn take(&mut self, expected: &str) -> bool {
        self.skip_blanks();
        let end = self.position + expected.chars().count();
        let found = end <= self.end && self.text(self.position, end).is_ok_and(|text| text == expected);
        if found {
            self.position = end;
        }
        found
    }
}
