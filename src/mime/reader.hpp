// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Reading a message: octets in, values out, attachments on the way to wherever the caller wants them. Memory
// is bounded by Limits, whatever the message's size: octets are fed as they come and never kept.
#include <functional>
#include <memory>
#include <string_view>

#include "base/error.hpp"
#include "mime/limits.hpp"
#include "mime/message.hpp"
#include "mime/octets.hpp"

namespace syncline::mime {

/// Where one attachment's decoded octets go.
class AttachmentSink : public Sink {
 public:
  /// After the last octet; `attachment` has its size and hash now. Not called if the reading ends early.
  virtual Result<void> close(const Attachment& attachment) = 0;
};
/// Called at each attachment's start, in the order of Message::attachments; size, hash and an attached
/// message's name are not known yet. nullptr: it is counted and hashed only.
using OpenSink = std::function<Result<std::unique_ptr<AttachmentSink>>(const Attachment& attachment)>;

struct ReadOptions {
  Limits limits = {};
  bool hash_octets = true;  ///< fill Message::sha256; off where the caller stores the octets under their hash
  bool decode_attachments = true;  ///< off: attachments have neither size nor hash and no sink is opened
  bool hash_attachments = true;    ///< fill Attachment::sha256; off where it is not looked at
  OpenSink open_sink = nullptr;
};

/// Feed octets cut anywhere, then finish() once. Whatever they are, there is a message; errors are those of
/// the sinks alone, and end the reading.
class MessageReader {
 public:
  explicit MessageReader(ReadOptions options = {});
  ~MessageReader();
  MessageReader(MessageReader&&) noexcept;
  MessageReader& operator=(MessageReader&&) noexcept;

  Result<void> feed(std::string_view octets);
  Result<Message> finish();

 private:
  class Reading;
  std::unique_ptr<Reading> reading_;
};

/// From where the source stands to its end. Errors: the source's and the sinks'.
Result<Message> read_message(Source& source, ReadOptions options = {});
Result<Message> read_message(std::string_view octets, ReadOptions options = {});

}  // namespace syncline::mime
