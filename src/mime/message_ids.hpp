// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Message-ID and the fields that name others' (RFC 5322 section 3.6.4).
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace syncline::mime {

struct MessageId {
  std::optional<std::string> id =
      std::nullopt;       ///< as it stands, with angle brackets where it has them; nullopt: there is none
  bool is_clean = false;  ///< exactly one <id> and nothing else
};
/// Of a Message-ID field (unfolded octets).
MessageId read_message_id(std::string_view field);

/// Of References or In-Reply-To: every <id>, oldest first, each once, at most 1,000; a text without any that
/// is one word with
/// "@" is one.
std::vector<std::string> read_message_ids(std::string_view field);

/// Whether a text may stand as an id in a header that is written: "<", printable ASCII (or valid UTF-8 if
/// `utf8`) without blanks and brackets, ">", at most 900 octets.
bool is_message_id(std::string_view text, bool utf8) noexcept;

}  // namespace syncline::mime
