// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// What a server's refusal means for us: the one table of IMAP's response codes (RFC 9051 section 7.1, RFC
// 5530 and the IANA registry "IMAP Response Codes") to retry classes (invariant 26).
#include <span>
#include <string_view>

#include "base/error.hpp"
#include "routing/imap/reply.hpp"

namespace syncline::imap {

/// What was asked: the same NO means another thing.
enum class Asked { sign_in, mailbox, messages, other };

struct CodeMeaning {
  std::string_view code;  ///< upper case
  RetryClass retry;
  /// Error::code: the server's own, or a word that callers know ("gone", "not-authorised").
  std::string_view known_as;
};
/// Every registered code, and some of large providers that are not.
std::span<const CodeMeaning> code_meanings() noexcept;

/// The error of a reply NO, BAD or BYE. Domain mail; code: what the table says, "THROTTLED" where a server has
/// only words for that, else "NO", "BAD", "BYE".
Error reply_error(const StatusReply& reply, Asked asked);

}  // namespace syncline::imap
