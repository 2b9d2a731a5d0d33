// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Writing a message from values: RFC 5322, 2045-2047, 2231, 6532. Nothing that a value holds can become
// another header field or line. Files are read as they are written, never whole in memory. The same values
// give the same octets: a second try after a cut is the same message.
//
// Received messages are never written again: their own octets are kept.
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/random.hpp"
#include "mime/date.hpp"
#include "mime/header_block.hpp"
#include "mime/message.hpp"
#include "mime/octets.hpp"

namespace syncline::mime {

struct DraftFile {
  std::string name = {};        ///< what the receiver is to see; at most 255 octets of it are sent
  std::string type = {};        ///< "image/png"; anything that is no type becomes application/octet-stream
  std::string content_id = {};  ///< without angle brackets; what the HTML names after "cid:"; empty: none
  /// Opens the octets at their start; called at most three times.
  std::function<Result<std::unique_ptr<Source>>()> open = nullptr;
};

struct Draft {
  std::vector<Mailbox> from = {};  ///< at least one
  std::optional<Mailbox> sender = std::nullopt;
  std::vector<Mailbox> to = {};
  std::vector<Mailbox> cc = {};
  std::vector<Mailbox> bcc = {};  ///< written with ComposeOptions::keep_bcc alone
  std::vector<Mailbox> reply_to = {};
  std::string subject = {};
  DateTime date = {};
  std::string message_id = {};                ///< "<…>", made by new_message_id()
  std::vector<std::string> in_reply_to = {};  ///< ids; what is none is left out: they are others' texts
  std::vector<std::string> references = {};   ///< oldest first; of more than 100 the first and the last 99
  std::optional<std::string> text = std::nullopt;
  std::optional<std::string> html = std::nullopt;
  std::vector<DraftFile> inline_files =
      {};  ///< beside the HTML (multipart/related); attachments where there is none
  std::vector<DraftFile> attachments = {};
  Importance importance = Importance::normal;
  Sensitivity sensitivity = Sensitivity::normal;
  std::vector<std::string> keywords = {};
  bool is_automatic = false;                   ///< Auto-Submitted: auto-generated (RFC 3834)
  std::vector<HeaderField> extra_fields = {};  ///< our own ("X-…"), values UTF-8; not those that stand above
};

struct ComposeOptions {
  bool utf8 = false;       ///< headers in UTF-8 (RFC 6532): the server offered SMTPUTF8
  bool eight_bit = false;  ///< bodies in 8bit: the server offered 8BITMIME
  bool keep_bcc = false;   ///< for the sender's own copy
};

/// Writes the message with CRLF line ends; lines of at most 998 octets, headers folded at 78 where they can
/// be. Errors before the first octet, domain input: "missing-from", "bad-message-id", "bad-address" (naming
/// the field), "needs-smtputf8" (an address's local part is not ASCII), "bad-header-name",
/// "header-injection". Later: the sink's, a source's, and "source-changed" (domain local) where a file is not
/// as long as it said.
Result<void> compose(const Draft& draft, const ComposeOptions& options, Sink& sink);

/// How many octets compose() writes (for RFC 1870's SIZE), without reading the files (attached messages
/// aside).
Result<std::uint64_t> composed_size(const Draft& draft, const ComposeOptions& options);

/// Whether an address of the envelope or the header cannot be sent without SMTPUTF8.
bool needs_utf8(const Mailbox& mailbox) noexcept;

/// A new id, unique in the world: "<uuid@domain>". `domain`: of the sender's address; "localhost" in place of
/// what is none.
std::string new_message_id(Random& random, std::string_view domain);

}  // namespace syncline::mime
