// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Attachments and how they are named. Of a message that was read as a whole the id ends with a number, its
// place in mime::Message::attachments; of one whose structure alone is known, with the server's number of the
// part.
#include <boost/json/value.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "mime/reader.hpp"
#include "mime/transfer_decoding.hpp"
#include "routing/imap/body_structure.hpp"
#include "routing/imap/session.hpp"
#include "sync/driver.hpp"

namespace syncline::imap {

/// Stands between a message's id and its attachment's. Folders' names may hold it: the last one counts.
inline constexpr char attachment_border = '\x1f';

boost::json::value attachments_of(const BodyStructure& structure, const std::string& item_id);
/// As mail::item_class_of, from what the structure says.
std::string item_class_of(const BodyStructure& structure);
bool is_encrypted(const BodyStructure& structure);

struct AttachmentId {
  std::string item = {};
  std::optional<std::size_t> number = std::nullopt;  ///< in Message::attachments
  std::string section = {};                          ///< or the part's
  std::string encoding = {};
  static std::optional<AttachmentId> parse(std::string_view text);
};

/// What goes to a sink, up to a limit. Beyond it the rest is passed over: the connection goes on.
class LimitedOutput {
 public:
  LimitedOutput(sync::ContentSink& sink, std::uint64_t most_octets)
      : sink_(sink), most_octets_(most_octets) {}
  /// Never fails; failed() says.
  void write(std::string_view octets);
  /// Error mail "too-large" (never), or the sink's.
  Result<void> outcome() const;
  std::uint64_t octets() const noexcept { return octets_; }

 private:
  sync::ContentSink& sink_;
  std::uint64_t most_octets_;
  std::uint64_t octets_ = 0;
  std::optional<Error> failed_;
};

/// The one section that is asked for, decoded, to an output.
class SectionToOutput final : public ReplyHandler {
 public:
  SectionToOutput(LimitedOutput& output, mime::TransferEncoding encoding)
      : output_(output), decoder_(encoding) {}
  Result<void> on_literal_data(std::string_view data) override;
  Result<void> on_reply(Reply& reply) override;
  bool came() const noexcept { return came_; }

 private:
  LimitedOutput& output_;
  mime::TransferDecoder decoder_;
  std::string decoded_;
  bool came_ = false;
};

/// A whole message through a reader that hands its attachments out.
class MessageToReader final : public ReplyHandler {
 public:
  explicit MessageToReader(mime::ReadOptions options) : reader_(std::move(options)) {}
  Result<void> on_literal_data(std::string_view data) override { return reader_.feed(data); }
  Result<void> on_reply(Reply& reply) override;
  bool came() const noexcept { return came_; }
  const std::optional<mime::Message>& message() const noexcept { return message_; }

 private:
  mime::MessageReader reader_;
  std::optional<mime::Message> message_;
  bool came_ = false;
};

/// Sends the `number`th attachment to `output`.
mime::ReadOptions only_attachment(std::size_t number, LimitedOutput& output);
/// Reads the first attached message: `nested` is its own reader, `number` its place.
mime::ReadOptions first_message(std::optional<mime::MessageReader>& nested,
                                std::optional<std::size_t>& number);

}  // namespace syncline::imap
