// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// BODYSTRUCTURE (RFC 9051 section 7.5.2): the parts of a message, with the numbers under which they can be
// fetched.
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "routing/imap/tokens.hpp"

namespace syncline::imap {

/// One part that has content: multiparts only show in their parts' numbers.
struct BodyPart {
  std::string section = {};                                          ///< "1", "2.1"
  std::string type = {};                                             ///< lower case
  std::string subtype = {};                                          ///< lower case
  std::vector<std::pair<std::string, std::string>> parameters = {};  ///< names in lower case, as on the wire
  std::string content_id = {};
  std::string encoding = {};     ///< lower case: "base64"
  std::uint64_t octets = 0;      ///< in transfer encoding
  std::string disposition = {};  ///< lower case
  std::vector<std::pair<std::string, std::string>> disposition_parameters = {};
  bool in_related = false;  ///< beside the text that may show it (multipart/related)
  /// Within an attached message: part of that message, not of the one that was fetched.
  bool in_message = false;
};

/// The parts in the order of the message.
struct BodyStructure {
  std::vector<BodyPart> parts = {};
};

/// Takes the parenthesised structure at the cursor. nullopt, with the cursor behind the list all the same,
/// where it is nested deeper than `most_depth` or not after the grammar.
std::optional<BodyStructure> take_body_structure(TokenCursor& cursor, std::size_t most_depth = 100);

}  // namespace syncline::imap
