// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Bodies by what they say, not by how they look: to tell a formatted body from an edit of it.
#include <string>
#include <string_view>

#include "model/record.hpp"

namespace syncline::sync::plan {

/// The words of an HTML text, one blank between them: tags, comments, style and script left out, entities
/// read. Reads anything, in one pass.
std::string words_of_html(std::string_view html);
/// The words of a plain text, one blank between them.
std::string words_of_text(std::string_view text);
/// Of a body field, whatever its type; empty for null.
std::string words_of_body(const model::FieldValue& body);
/// Whether `plain` is a text of the same words as the formatted body `rich`: blanks aside, and what Exchange
/// adds when it makes text of HTML (the target of a link in angle brackets, the name of an image in square
/// ones).
bool is_plain_copy(const model::FieldValue& plain, const model::FieldValue& rich);

}  // namespace syncline::sync::plan
