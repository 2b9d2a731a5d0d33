// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Reading a message's octets into fields, as whoever knows MIME (src/mime) does it.
#include <optional>
#include <string>
#include <string_view>

#include "sync/driver.hpp"

namespace syncline::pop3 {

struct ReadMail {
  model::Fields fields = {};  ///< under the names of model/field_catalogue.hpp
  std::string item_class = "IPM.Note";
  std::optional<std::string> operation_id = std::nullopt;  ///< of our own header field
  bool is_own_automatic_mail = false;                      ///< bears sync::own_mail_header
};

struct AttachedMail {
  std::string part_id = {};
  ReadMail mail = {};
};

/// What is handed over, and what is wanted of it.
struct ReadWish {
  bool is_whole = true;  ///< else the header alone: attachments are not known
  bool with_body = true;
};

class MessageReader {
 public:
  virtual ~MessageReader() = default;
  /// Attachments' ids are their parts'. Nothing in a message is an error but class quarantine for what
  /// cannot be read at all.
  virtual Result<ReadMail> read(sync::ContentSource& message, ReadWish wish) = 0;
  /// A part's decoded octets. Errors: "gone" (never), "too-large" (never).
  virtual Result<void> read_part(sync::ContentSource& message, std::string_view part_id,
                                 sync::ContentSink& sink, std::uint64_t most_octets) = 0;
  /// The first attached message; nullopt: none is.
  virtual Result<std::optional<AttachedMail>> attached_message(sync::ContentSource& message) = 0;
};

}  // namespace syncline::pop3
