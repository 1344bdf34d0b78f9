//! Writing a page so that nothing told by people or devices can be anything but text.

use std::fmt::{Display, Write as _};

/// A page that grows. Markup is part of the program; everything else is escaped.
#[derive(Debug, Default)]
pub(super) struct Page(String);

impl Page {
    /// Markup: only what is written in the program.
    pub(super) fn markup(&mut self, markup: &'static str) -> &mut Self {
        self.0.push_str(markup);
        self
    }

    /// A number of ours, or a text that consists of such: still escaped.
    pub(super) fn shown(&mut self, value: impl Display) -> &mut Self {
        let mut text = String::new();
        // Writing into a string cannot fail.
        let _ = write!(text, "{value}");
        escape(&mut self.0, &text);
        self
    }

    /// A text of a person or a device. It is isolated, so that characters that turn the direction of writing
    /// cannot reach what stands beside it.
    pub(super) fn told(&mut self, text: &str) -> &mut Self {
        self.0.push_str("<bdi>");
        escape(&mut self.0, text);
        self.0.push_str("</bdi>");
        self
    }

    /// The page.
    pub(super) fn finish(self) -> String {
        self.0
    }
}

/// Escapes for text and quoted attributes alike; control characters become visible.
fn escape(out: &mut String, text: &str) {
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\n' | '\t' => out.push(letter),
            control if control.is_control() => out.push('\u{fffd}'),
            other => out.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn no_text_becomes_markup(text in any::<String>()) {
            let mut page = Page::default();
            page.told(&text);
            let page = page.finish();
            let inner = page.strip_prefix("<bdi>").unwrap().strip_suffix("</bdi>").unwrap();
            prop_assert!(!inner.contains(['<', '>', '"', '\'', '\r', '\0']));
            // Undone again it is what was told.
            let back = inner
                .replace("&lt;", "<")
                .replace("&gt;", ">")
                .replace("&quot;", "\"")
                .replace("&#39;", "'")
                .replace("&amp;", "&");
            let visible: String = text
                .chars()
                .map(|c| if c.is_control() && c != '\n' && c != '\t' { '\u{fffd}' } else { c })
                .collect();
            prop_assert_eq!(back, visible);
        }
    }
}
