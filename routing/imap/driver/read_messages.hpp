// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Fetched messages to items, while they arrive: the octets are read as they come, and kept only where there
// is room for them.
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "mime/reader.hpp"
#include "routing/imap/driver/item_id.hpp"
#include "routing/imap/session.hpp"
#include "sync/driver.hpp"

namespace syncline::imap {

/// "r" or "u": whether it was read is all of a message that changes.
std::string version_of(const std::vector<std::string>& flags);

/// Reads "(UID FLAGS INTERNALDATE RFC822.SIZE … BODY.PEEK[…])" replies.
class ReadMessages final : public ReplyHandler {
 public:
  /// `keep`: takes the octets of a whole message that are at most `most_kept`; may be empty.
  ReadMessages(std::string folder, std::uint32_t uid_validity, bool with_body,
               std::function<void(std::string id, std::string octets)> keep, std::uint64_t most_kept)
      : folder_(std::move(folder)),
        uid_validity_(uid_validity),
        with_body_(with_body),
        keep_(std::move(keep)),
        most_kept_(most_kept) {}

  Result<void> on_literal_start(const StreamedLiteral& literal) override;
  Result<void> on_literal_data(std::string_view data) override;
  Result<void> on_reply(Reply& reply) override;

  /// What came, by UID.
  std::map<Uid, Result<sync::RemoteItem>>& items() noexcept { return items_; }

 private:
  sync::RemoteItem item_of(FetchReply& reply, const mime::Message& message, bool is_whole) const;

  std::string folder_;
  std::uint32_t uid_validity_;
  bool with_body_;
  std::function<void(std::string, std::string)> keep_;
  std::uint64_t most_kept_;
  std::optional<mime::MessageReader> reader_;
  std::string octets_;
  bool keeping_ = false;
  std::map<Uid, Result<sync::RemoteItem>> items_;
};

}  // namespace syncline::imap
