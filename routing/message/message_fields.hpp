// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// A message's values under the names of docs/records.md, in the shapes that model::canonical makes. What the
// message does not say is null: known to be empty.
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "mime/message.hpp"
#include "model/record.hpp"

namespace syncline::mail {

struct MessageContext {
  /// When the server took it; else the topmost Received field or the Date.
  std::optional<SystemTime> received = std::nullopt;
  std::optional<bool> is_read = std::nullopt;
  bool with_body = true;
  /// The message was read as a whole; of a header alone attachments are not known.
  bool is_whole = true;
  /// Ids of attachments are this and their number in Message::attachments.
  std::string attachment_prefix = {};
};

/// Nothing in a message is an error: texts beyond model::field_text_limit_octets are cut.
model::Fields fields_of(const mime::Message& message, const MessageContext& context);

/// "IPM.Note", "REPORT.IPM.Note.NDR", "IPM.Note.SMIME", as Exchange names the like.
std::string item_class_of(const mime::Message& message);

/// "2026-11-22T10:00:00Z"
std::string utc_text(SystemTime time);

}  // namespace syncline::mail
