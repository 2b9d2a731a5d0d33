// SPDX-License-Identifier: GPL-3.0-or-later
#include "routing/imap/body_structure.hpp"

#include "base/text.hpp"

namespace syncline::imap {
namespace {

constexpr std::size_t most_parts = 2'000;

using Parameters = std::vector<std::pair<std::string, std::string>>;

/// "(" name value … ")" or NIL.
bool take_parameters(TokenCursor& cursor, Parameters& parameters) {
  if (!cursor.take_open()) return cursor.take_nstring().has_value();
  while (!cursor.at_close()) {
    const auto name = cursor.take_text();
    const auto value = cursor.take_nstring();
    if (!name || !value) return false;
    parameters.emplace_back(text::to_lower_ascii(*name), std::string(value->value_or("")));
  }
  return cursor.take_close();
}

/// "(" kind parameters ")" or NIL; some servers leave the parameters out, or send the kind alone.
bool take_disposition(TokenCursor& cursor, BodyPart& part) {
  if (!cursor.take_open()) {
    const auto word = cursor.take_nstring();
    if (word && *word) part.disposition = text::to_lower_ascii(**word);
    return word.has_value();
  }
  const auto kind = cursor.take_nstring();
  if (!kind) return false;
  part.disposition = text::to_lower_ascii(kind->value_or(""));
  if (!cursor.at_close() && !take_parameters(cursor, part.disposition_parameters)) return false;
  while (!cursor.at_close() && !cursor.done()) cursor.skip();
  return cursor.take_close();
}

/// A list that is open: a multipart, or a message around the structure of the message in it.
struct Level {
  std::string prefix = {};  ///< of the numbers of its parts: "2."
  unsigned parts = 0;
  bool is_message = false;  ///< one structure is in it, and its numbers are those of the message's own parts
  bool in_message = false;
};

/// The fields of a single part behind "(" up to its end, or, of a message, up to the structure inside.
bool take_single(TokenCursor& cursor, BodyPart& part, bool& opens_message) {
  const auto type = cursor.take_nstring();
  const auto subtype = cursor.take_nstring();
  if (!type || !subtype) return false;
  part.type = text::to_lower_ascii(type->value_or(""));
  part.subtype = text::to_lower_ascii(subtype->value_or(""));
  if (!take_parameters(cursor, part.parameters)) return false;
  const auto id = cursor.take_nstring();
  const auto description = cursor.take_nstring();
  const auto encoding = cursor.take_nstring();
  if (!id || !description || !encoding) return false;
  part.content_id = std::string(id->value_or(""));
  part.encoding = text::to_lower_ascii(encoding->value_or(""));
  if (const auto octets = cursor.take_number())
    part.octets = *octets;
  else if (!cursor.take_nstring())
    return false;
  if (part.type == "message" && (part.subtype == "rfc822" || part.subtype == "global") && cursor.at_open()) {
    cursor.skip();  // the envelope
    opens_message = cursor.at_open();
    return true;
  }
  return true;
}

/// What follows: lines (of text and messages), MD5, disposition, language, location, and what is to come.
bool take_rest_of_single(TokenCursor& cursor, BodyPart& part) {
  if (part.type == "text" || part.type == "message") static_cast<void>(cursor.take_number());
  if (!cursor.at_close() && !cursor.take_nstring()) return false;  // MD5
  if (!cursor.at_close() && !take_disposition(cursor, part)) return false;
  while (!cursor.at_close() && !cursor.done()) cursor.skip();
  return cursor.take_close();
}

}  // namespace

std::optional<BodyStructure> take_body_structure(TokenCursor& cursor, std::size_t most_depth) {
  TokenCursor at = cursor;
  cursor.skip();
  const std::size_t end = cursor.position();
  if (!at.at_open()) return std::nullopt;

  BodyStructure structure;
  std::vector<Level> levels;
  std::vector<std::size_t> messages;  // of the levels that are messages: their part
  while (at.position() < end) {
    if (at.take_open()) {
      if (levels.size() >= most_depth) return std::nullopt;
      Level* const parent = levels.empty() ? nullptr : &levels.back();
      if (at.at_open()) {
        Level multipart;
        if (parent == nullptr || parent->is_message) {
          // The parts of a message that is a multipart are numbered from the message on.
          multipart.prefix = parent == nullptr ? "" : parent->prefix;
        } else {
          multipart.prefix = parent->prefix + std::to_string(++parent->parts) + ".";
        }
        multipart.in_message = parent != nullptr && (parent->is_message || parent->in_message);
        levels.push_back(std::move(multipart));
        continue;
      }
      if (structure.parts.size() >= most_parts) return std::nullopt;
      BodyPart part;
      part.in_message = parent != nullptr && (parent->is_message || parent->in_message);
      part.section = parent == nullptr ? "1" : parent->prefix + std::to_string(++parent->parts);
      bool opens_message = false;
      if (!take_single(at, part, opens_message)) return std::nullopt;
      structure.parts.push_back(std::move(part));
      if (opens_message) {
        Level message;
        message.prefix = structure.parts.back().section + ".";
        message.is_message = message.in_message = true;
        levels.push_back(std::move(message));
        messages.push_back(structure.parts.size() - 1);
        continue;
      }
      if (!take_rest_of_single(at, structure.parts.back())) return std::nullopt;
    } else {
      if (levels.empty()) return std::nullopt;
      if (levels.back().is_message) {
        if (!take_rest_of_single(at, structure.parts[messages.back()])) return std::nullopt;
        messages.pop_back();
      } else {
        // The multipart's own fields: subtype, parameters, disposition …
        const auto subtype = at.take_nstring();
        if (!subtype) return std::nullopt;
        if (text::equals_ignore_case(subtype->value_or(""), "related")) {
          const std::string& prefix = levels.back().prefix;
          for (BodyPart& part : structure.parts)
            if (part.section.size() > prefix.size() && part.section.compare(0, prefix.size(), prefix) == 0 &&
                part.in_message == levels.back().in_message)
              part.in_related = true;
        }
        while (!at.at_close() && !at.done()) at.skip();
        if (!at.take_close()) return std::nullopt;
      }
      levels.pop_back();
    }
    if (levels.empty()) break;
  }
  if (!levels.empty()) return std::nullopt;
  return structure;
}

}  // namespace syncline::imap
